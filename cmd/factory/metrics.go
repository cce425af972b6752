package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// metrics are what Prometheus is told of the server.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	cancels  *prometheus.HistogramVec
	refused  *prometheus.CounterVec
}

func newMetrics() *metrics {
	// From an answer out of memory to the longest that a request may take.
	buckets := []float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "factory_request_duration_seconds", Buckets: buckets,
			Help: "Time from the headers of a request to the end of its response; a status of 0 is none.",
		}, []string{"operation", "status"}),
		cancels: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "factory_store_cancel_duration_seconds", Buckets: buckets,
			Help: "Time that the store took to cancel the packages of a request.",
		}, []string{"result"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "factory_refused_total",
			Help: "Requests that were refused since they break the document, by the rule that they break.",
		}, []string{"operation", "rule"}),
	}
	m.registry.MustRegister(m.requests, m.cancels, m.refused, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(o server.Observation) {
	m.requests.WithLabelValues(o.Operation, strconv.Itoa(o.Status)).Observe(o.Duration.Seconds())
	if o.Refused != "" {
		m.refused.WithLabelValues(o.Operation, o.Refused).Inc()
	}
}

// serve serves /metrics and a page about the store on address until stop is
// called. It returns where it listens.
func (m *metrics) serve(ctx context.Context, address string, st store.Store, log *slog.Logger) (on net.Addr, stop func() error, err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", onLoopback(address))
	if err != nil {
		return nil, nil, err
	}
	log.InfoContext(ctx, "metrics", slog.String("url", "http://"+listener.Addr().String()+"/metrics"))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.Handle("GET /{$}", admin(st, time.Now()))
	const patience = 10 * time.Second
	srv := &http.Server{
		Handler: mux, ReadTimeout: patience, WriteTimeout: patience, IdleTimeout: time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()
	return listener.Addr(), func() error {
		err := srv.Close()
		if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
		return err
	}, nil
}

// timedStore measures how long cancelling takes.
type timedStore struct {
	store.Store
	metrics *metrics
}

func (s timedStore) Cancel(ctx context.Context, project, workspace string, ids []string) error {
	start := time.Now()
	err := s.Store.Cancel(ctx, project, workspace, ids)
	result := "failed"
	switch {
	case err == nil:
		result = "ok"
	case refused(err):
		result = "refused"
	}
	s.metrics.cancels.WithLabelValues(result).Observe(time.Since(start).Seconds())
	return err
}

// refused reports whether an error of Cancel is the caller's.
func refused(err error) bool {
	if _, unknown := errors.AsType[*store.UnknownPackageError](err); unknown {
		return true
	}
	if _, released := errors.AsType[*store.ReleasedPackageError](err); released {
		return true
	}
	return errors.Is(err, store.ErrNoDefaultWorkspace) || errors.Is(err, store.ErrUnknownWorkspace)
}

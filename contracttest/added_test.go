package contracttest_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// playlists is a document of tracks, which are there, and of lists that they are added to.
const playlists = `
  /tracks/{trackId}:
    parameters: [{name: trackId, in: path, required: true, schema: {type: integer}}]
    get: {operationId: getTrack, responses: {"200": {description: it, content: {application/json: {schema: {$ref: "#/components/schemas/Track"}}}}, "400": {description: bad}, "404": {description: none}}}
    delete: {operationId: removeTrack, responses: {"204": {description: gone}, "400": {description: bad}, "404": {description: none}}}
  /playlists:
    post:
      operationId: addPlaylist
      requestBody: {required: true, content: {application/json: {schema: {type: object}}}}
      responses: {"201": {description: made, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}}, "400": {description: bad}}
  /playlists/{playlistId}:
    parameters: [{name: playlistId, in: path, required: true, schema: {type: integer}}]
    get: {operationId: getPlaylist, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}, "404": {description: none}}}
  /playlists/{playlistId}/tracks:
    parameters: [{name: playlistId, in: path, required: true, schema: {type: integer}}]
    post:
      operationId: addToPlaylist
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [WHICH], properties: {WHICH: {type: integer, example: 5}}}}}}
      responses:
        "STATUS": {description: added, content: {application/json: {schema: {$ref: "#/components/schemas/Track"}}}}
        "400": {description: bad}
        "404": {description: none}
components:
  schemas:
    Track: {type: object, required: [id, title], properties: {id: {type: integer}, title: {type: string}}}
`

// jukebox has ten tracks, and notes which of them are deleted.
type jukebox struct {
	mu     sync.Mutex
	which  string
	status int
	lists  int
	added  int
	lost   []int
}

func (j *jukebox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	j.mu.Lock()
	defer j.mu.Unlock()
	track := func(id int) map[string]any { return map[string]any{"id": id, "title": "song"} }
	isTrack := func(id int) bool { return id >= 0 && id < 10 && !slices.Contains(j.lost, id) }
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	id, err := strconv.Atoi(append(parts, "")[1])
	switch route := r.Method + " " + parts[0] + strconv.Itoa(len(parts)); {
	case len(parts) > 1 && err != nil:
		w.WriteHeader(http.StatusBadRequest)
	case route == "POST playlists1":
		if _, ok := ofJSON(w, r); ok {
			j.lists++
			answerJSON(w, http.StatusCreated, map[string]any{"id": 100 + j.lists})
		}
	case parts[0] == "tracks" && !isTrack(id), parts[0] == "playlists" && (id <= 100 || id > 100+j.lists):
		w.WriteHeader(http.StatusNotFound)
	case route == "GET tracks2":
		answerJSON(w, http.StatusOK, track(id))
	case route == "DELETE tracks2":
		j.lost = append(j.lost, id)
		w.WriteHeader(http.StatusNoContent)
	case route == "GET playlists2":
		answerJSON(w, http.StatusOK, map[string]any{"id": id})
	case route == "POST playlists3":
		sent, ok := ofJSON(w, r)
		if !ok {
			return
		}
		number, isNumber := sent[j.which].(float64)
		which := int(number)
		switch {
		case !isNumber || float64(which) != number:
			w.WriteHeader(http.StatusBadRequest)
		case !isTrack(which):
			w.WriteHeader(http.StatusNotFound)
		default:
			j.added++
			answerJSON(w, j.status, track(which))
		}
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// TestAdded proves that what a request names is not taken for what it has made: adding a track to a list
// returns the track, which was there before the run and has to be there after it.
func TestAdded(t *testing.T) {
	for _, which := range []string{"trackId", "id"} {
		for _, status := range []int{http.StatusOK, http.StatusCreated} {
			t.Run(which+" "+strconv.Itoa(status), func(t *testing.T) {
				j := &jukebox{which: which, status: status}
				c := parse(t, strings.NewReplacer("WHICH", which, "STATUS", strconv.Itoa(status)).Replace(playlists))
				_, err := contracttest.Run(t.Context(), c, contracttest.Handler(j), contracttest.Settle(2*time.Millisecond), contracttest.Cases(0))
				require.NoError(t, err)
				assert.Positive(t, j.added)
				assert.Empty(t, j.lost)
			})
		}
	}
}

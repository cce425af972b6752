"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const panel = byId("panel"), content = byId("content"), matches = byId("matches");
  const says = { finding: "✗ a finding", warning: "! a warning", partly: "◐ shown in part", untried: "○ never tried", shown: "✓ shown" };
  const states = {
    "kept+broken": "kept, and broken on purpose", kept: "kept by a request that was accepted", broken: "broken on purpose, and refused",
    observed: "kept by a response", not_proven: "tried, but the answer shows nothing", unreached: "never tried",
  };
  const maxShown = 12; // exchanges of a clause at once

  // el makes an element; text is never markup.
  const el = (tag, attrs, ...children) => {
    const e = document.createElement(tag);
    for (const [k, v] of Object.entries(attrs || {})) {
      if (k === "class") e.className = v;
      else if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
      else e.setAttribute(k, v);
    }
    for (const c of children.flat()) if (c !== null && c !== undefined) e.append(c);
    return e;
  };
  const plural = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

  const lists = { clauses: data.clauses || [], findings: data.findings || [], exchanges: data.exchanges || [] };
  const atLine = new Map(), ofClause = new Map(), foundOf = new Map();
  const push = (map, key, value) => { if (map.has(key)) map.get(key).push(value); else map.set(key, [value]); };
  for (const c of lists.clauses) push(atLine, `${c.f}:${c.l}`, c);
  for (const f of lists.findings) push(foundOf, f.clause, f);
  for (const x of lists.exchanges) {
    push(ofClause, x.cl, x);
    for (const f of x.fd || []) if (f.Clause !== x.cl) push(ofClause, f.Clause, x);
  }

  // ---- what is marked in an exchange: the part that a clause is about.
  const partOf = (clause) => {
    const s = clause.split("/").map((t) => t.replaceAll("~1", "/").replaceAll("~0", "~")).slice(1);
    const part = { side: "request" };
    if (s[0] === "response") {
      part.side = "response";
      const [, status, kind, ...rest] = s;
      if (status === "status") part.start = true;
      else if (kind === "media-type") part.header = "content-type";
      else if (kind === "header") part.header = (rest[0] || "").toLowerCase();
      else if (kind === "no-body") part.body = true;
      else part.names = rest.slice(0, -1);
    } else if (s[0] === "header") part.header = (s[1] || "").toLowerCase();
    else if (s[0] === "cookie") part.header = "cookie";
    else if (s[0] === "security") part.header = "authorization";
    else if (s[0] === "query") part.query = s[1];
    else if (s[0] === "path") part.start = true;
    else if (s[0] === "method") part.method = true;
    else if (s[0] === "body") {
      if (s[1] === "media-type" || s[1] === "content-encoding") part.header = s[1] === "media-type" ? "content-type" : "content-encoding";
      else if (s[1] === "syntax") part.body = true;
      else part.names = s.slice(1, -1);
    }
    return part;
  };
  const odd = /[\u2400-\u2421]|\\x[0-9A-F]{2}|\\u[0-9A-F]{4}/;
  const marked = (text, pattern) => {
    if (!pattern) return [text];
    const out = [];
    let last = 0, n = 0;
    for (const m of text.matchAll(new RegExp(pattern.source, "g" + pattern.flags.replace("g", "")))) {
      if (m[0] === "" || ++n > 50) break;
      out.push(text.slice(last, m.index), el("mark", {}, m[0]));
      last = m.index + m[0].length;
    }
    out.push(text.slice(last));
    return out;
  };
  const literal = (s) => s.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const message = (start, msg, part, side) => {
    const here = part && part.side === side ? part : {};
    const lines = [];
    if (start) {
      let p = null;
      if (here.start) p = /.+/;
      else if (here.method) p = /^\S+/;
      else if (here.query) p = new RegExp(`[?&]${literal(encodeURIComponent(here.query))}(%5B[^=&]*|\\[[^=&]*)?(=[^&]*)?`, "i");
      lines.push(...marked(start, p), "\n");
    }
    for (const [name, value] of msg.h) {
      const line = `${name}: ${value}`;
      lines.push(...(here.header === name.toLowerCase() ? [el("mark", {}, line)] : marked(line, odd)), "\n");
    }
    if (msg.b !== "") {
      lines.push("\n");
      const name = (here.names || []).filter((n) => !["items", "additionalProperties"].includes(n)).pop();
      if (here.body) lines.push(el("mark", {}, msg.b));
      else if (name) lines.push(...marked(msg.b, new RegExp(`"${literal(name)}"\\s*:\\s*("(?:[^"\\\\]|\\\\.)*"|\\[[^\\]]*\\]|[^,}\\]]+)`)));
      else lines.push(...marked(msg.b, odd));
    }
    if (msg.z > msg.b.length && msg.b.endsWith("…")) lines.push(el("span", { class: "dim" }, `\n(${plural(msg.z, "byte")} in all)`));
    return el("pre", { tabindex: "0" }, lines);
  };

  const exchange = (x, clause, open) => {
    const part = partOf((x.fd || []).length ? x.fd[0].Clause || clause : clause);
    const label = x.id.includes("#") ? x.id.slice(x.id.indexOf("#") + 1) : x.id;
    const fill = (d) => {
      if (d.dataset.filled) return;
      d.dataset.filled = "1";
      for (const f of x.fd || []) if (f.Clause !== clause) d.append(el("div", { class: f.Severity === "error" ? "found" : "found warn" }, `${f.Severity === "error" ? "✗" : "!"} ${f.Message}`, el("span", { class: "dim" }, ` (${f.Check}, ${f.Clause})`)));
      if (x.lv) d.append(el("p", { class: "note" }, x.lv));
      d.append(el("div", { class: "pair" },
        el("div", {}, el("h4", {}, "Request"), message(`${x.m} ${x.u}`, x.q, part, "request")),
        el("div", {}, el("h4", {}, `Response, expected ${x.e}`), x.s ? message(`HTTP ${x.s}`, x.a, part, "response") : el("pre", {}, el("mark", {}, x.err || "no response")))));
      if (x.s && x.err) d.append(el("p", { class: "note" }, x.err));
      const copy = el("button", { type: "button", "aria-label": "copy the curl command" }, "Copy");
      copy.addEventListener("click", async () => {
        try { await navigator.clipboard.writeText(x.curl); copy.textContent = "Copied"; } catch { copy.textContent = "Select it"; }
      });
      d.append(el("div", { class: "curl" }, el("pre", { tabindex: "0" }, x.curl), copy));
    };
    const d = el("details", {}, el("summary", {},
      el("span", { class: "code" }, x.s ? String(x.s) : "—"),
      el("span", { class: "label" }, `${x.m} ${label}`),
      el("span", { class: "why" }, (x.fd || []).length ? "finding" : x.x ? "breaks it" : "keeps it")));
    d.addEventListener("toggle", () => d.open && fill(d));
    if (open) { fill(d); d.open = true; }
    return d;
  };

  const clauseBlock = (c) => {
    const body = el("div", { class: "body" });
    for (const f of foundOf.get(c.n) || []) {
      body.append(el("div", { class: f.severity === "error" ? "found" : "found warn" }, `${f.severity === "error" ? "✗" : "!"} ${f.message}`,
        el("dl", {}, el("dt", {}, "check"), el("dd", {}, f.check), el("dt", {}, "expected"), el("dd", {}, f.expected), el("dt", {}, "seen"), el("dd", {}, f.actual),
          el("dt", {}, "times"), el("dd", {}, String(f.count)), ...(f.case.id ? [el("dt", {}, "again"), el("dd", {}, `contracttest run --only '${f.case.id}' --seed ${data.seed} …`)] : []))));
    }
    if (c.r) body.append(el("p", { class: "empty" }, `never tried: ${c.r}`));
    const all = (ofClause.get(c.n) || []).slice().sort((a, b) => (b.fd || []).length - (a.fd || []).length);
    all.slice(0, maxShown).forEach((x, i) => body.append(exchange(x, c.n, i === 0 && (x.fd || []).length > 0)));
    if (all.length > maxShown) {
      const more = el("button", { type: "button" }, `${plural(all.length - maxShown, "more exchange")}`);
      more.addEventListener("click", () => more.replaceWith(...all.slice(maxShown).map((x) => exchange(x, c.n, false))));
      body.append(more);
    }
    if (!all.length && !c.r) body.append(el("p", { class: "empty" }, c.a ? "It is judged in every response; none of them is shown here for it alone." : "No exchange is shown for it alone: other cases have kept it."));
    return el("article", { class: "clause" },
      el("div", { class: "head" }, el("span", { class: `pill ${c.c}` }, says[c.c]), el("span", { class: "text" }, c.t),
        el("span", { class: "name" }, c.n, el("span", { class: "dim" }, ` · ${states[c.s] || c.s}`))), body);
  };

  // ---- the panel
  const notes = [...content.children];
  const overview = () => {
    const kids = [...notes];
    if (lists.findings.length) {
      kids.push(el("h2", {}, plural(lists.findings.length, "finding")));
      kids.push(el("ul", { class: "items" }, lists.findings.slice(0, 500).filter(visibleFinding).map((f) => el("li", {},
        el("button", { type: "button", class: `item ${f.severity === "error" ? "finding" : "warning"}`, onclick: () => go(f.file, f.place.line) },
          el("span", { class: "name" }, `${f.severity === "error" ? "✗" : "!"} ${f.clause}`), el("span", { class: "msg" }, f.message),
          el("span", { class: "where" }, `${f.place.file}:${f.place.line}:${f.place.column} · ${f.check}${f.count > 1 ? ` · ${f.count} times` : ""}`))))));
      if (lists.findings.length > 500) kids.push(el("p", { class: "empty" }, `The first 500 of ${plural(lists.findings.length, "finding")}: the JSON report has them all.`));
    } else kids.push(el("h2", {}, "No finding"));
    kids.push(el("h3", {}, "The lines"), el("ul", { class: "legend" },
      el("li", { class: "shown" }, "✓ kept, and broken on purpose; or kept by a response"), el("li", { class: "partly" }, "◐ only one of them, or not proven"),
      el("li", { class: "finding" }, "✗ a finding"), el("li", { class: "warning" }, "! a warning"), el("li", { class: "untried" }, "○ never tried")));
    kids.push(el("h3", {}, "Exchanges"), el("p", { class: "empty" },
      `${plural(lists.exchanges.length, "exchange")} of ${data.total.toLocaleString("en")} can be looked at: those with findings first, then a few that keep and a few that break each clause. Choose a line on the left; with the keyboard: j and k go to the next and the previous one, / searches, Esc returns here.`));
    content.replaceChildren(...kids);
  };
  let selected = null;
  const select = (line) => {
    if (selected) { selected.classList.remove("selected"); selected.removeAttribute("aria-current"); }
    selected = line;
    if (!line) { overview(); return; }
    line.classList.add("selected");
    line.setAttribute("aria-current", "true");
    const here = atLine.get(`${line.dataset.f}:${line.dataset.l}`) || [];
    const order = ["finding", "warning", "untried", "partly", "shown"];
    here.sort((a, b) => order.indexOf(a.c) - order.indexOf(b.c));
    const shown = here.filter(visible);
    content.replaceChildren(el("h2", {}, `Line ${line.dataset.l}: ${plural(here.length, "clause")}`), ...(shown.length ? shown : here).slice(0, 200).map(clauseBlock));
    panel.scrollTop = 0;
  };
  const go = (file, no) => {
    const line = byId(`f${file}l${no}`);
    if (!line || line.tagName !== "BUTTON") return;
    line.scrollIntoView({ block: "center", behavior: "instant" });
    line.focus({ preventScroll: true });
    select(line);
    history.replaceState(null, "", `#f${file}l${no}`);
  };

  // ---- filters
  const state = byId("state"), operation = byId("operation"), check = byId("check"), search = byId("search");
  for (const o of [...new Set(lists.clauses.map((c) => c.o))]) operation.append(el("option", { value: o }, o));
  for (const c of [...new Set(lists.findings.map((f) => f.check))].sort()) check.append(el("option", { value: c }, c));
  for (const o of state.options) if (o.value) o.textContent += ` (${lists.clauses.filter((c) => c.c === o.value).length.toLocaleString("en")})`;
  const haystack = new Map();
  const textOf = (c) => {
    if (!haystack.has(c)) haystack.set(c, [c.n, c.t, ...(foundOf.get(c.n) || []).map((f) => f.message), ...(ofClause.get(c.n) || []).map((x) => `${x.id} ${x.u} ${x.q.b} ${x.a.b}`)].join("\n").toLowerCase());
    return haystack.get(c);
  };
  const visibleFinding = (f) => (!check.value || f.check === check.value) && (!operation.value || f.operation === operation.value);
  const visible = (c) => (!state.value || c.c === state.value) && (!operation.value || c.o === operation.value) &&
    (!check.value || (foundOf.get(c.n) || []).some((f) => f.check === check.value)) && (!search.value || textOf(c).includes(search.value.toLowerCase()));
  const lines = [...document.querySelectorAll("button.ln")];
  let inView = lines;
  const filter = () => {
    const on = state.value || operation.value || check.value || search.value;
    let n = 0;
    inView = lines.filter((line) => {
      const hits = !on ? 1 : (atLine.get(`${line.dataset.f}:${line.dataset.l}`) || []).filter(visible).length;
      n += on ? hits : 0;
      line.classList.toggle("out", !hits);
      return hits;
    });
    matches.textContent = on ? `${plural(n, "clause")} on ${plural(inView.length, "line")}` : "";
    if (selected && inView.includes(selected)) select(selected);
    else select(null);
  };
  let waiting = 0;
  for (const f of [state, operation, check]) f.addEventListener("change", filter);
  search.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
  byId("filters").addEventListener("submit", (e) => { e.preventDefault(); if (inView[0]) go(inView[0].dataset.f, inView[0].dataset.l); });

  // ---- mouse, keyboard, theme
  document.querySelector(".source").addEventListener("click", (e) => {
    const line = e.target.closest("button.ln");
    if (line) { select(line); history.replaceState(null, "", `#${line.id}`); }
  });
  const step = (by) => {
    if (!inView.length) return;
    const at = selected ? inView.indexOf(selected) : by > 0 ? -1 : inView.length;
    const next = inView[Math.max(0, Math.min(inView.length - 1, at + by))];
    go(next.dataset.f, next.dataset.l);
  };
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const typing = e.target.matches("input, select");
    if (e.key === "Escape") { if (typing) { search.value = ""; e.target.blur(); filter(); } else { select(null); history.replaceState(null, "", "#"); } return; }
    if (typing) return;
    const inSource = e.target.matches("button.ln");
    if (e.key === "j" || (inSource && e.key === "ArrowDown")) { step(1); e.preventDefault(); }
    else if (e.key === "k" || (inSource && e.key === "ArrowUp")) { step(-1); e.preventDefault(); }
    else if (e.key === "/") { search.focus(); e.preventDefault(); }
  });
  const theme = byId("theme"), root = document.documentElement;
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const tell = () => { theme.textContent = dark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; tell(); });
  tell();

  overview();
  const at = /^#f(\d+)l(\d+)$/.exec(location.hash);
  if (at) go(at[1], at[2]);
})();

"use strict";
(async () => {
  const byId = (id) => document.getElementById(id);
  const says = { finding: "✗ a finding", warning: "! a warning", partly: "◐ shown in part", untried: "○ never tried", shown: "✓ shown" };
  const signs = { finding: "✗", warning: "!", partly: "◐", untried: "○", shown: "✓" };
  const order = ["finding", "warning", "partly", "untried", "shown"];
  const states = {
    "kept+broken": "kept, and refused when broken", kept: "kept by a request that was accepted", broken: "refused when broken",
    observed: "kept by a response", not_proven: "tried, but no response proves it", "unreached": "never tried",
  };
  const maxShown = 12; // exchanges of a clause at once
  const maxMembers = 100; // findings of a cause

  // el makes an element; text is never markup.
  const el = (tag, attrs, ...children) => {
    const e = document.createElement(tag);
    for (const [k, v] of Object.entries(attrs || {})) {
      if (v === null || v === undefined) continue;
      if (k === "class") e.className = v;
      else if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
      else e.setAttribute(k, v);
    }
    for (const c of children.flat()) if (c !== null && c !== undefined) e.append(c);
    return e;
  };
  const plural = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

  // ---- theme, and what can be copied: they need no data
  const theme = byId("theme"), root = document.documentElement;
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const tell = () => { theme.textContent = dark() ? "Light" : "Dark"; };
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; tell(); });
  tell();
  for (const b of document.querySelectorAll("button.copy")) b.hidden = false;
  document.addEventListener("click", async (e) => {
    const b = e.target.closest("button.copy");
    if (!b) return;
    try { await navigator.clipboard.writeText(b.previousSibling.textContent); b.textContent = "Copied"; } catch { b.textContent = "Select it"; }
  });
  const command = (text) => el("div", { class: "command" }, el("pre", { tabindex: "0" }, text), el("button", { type: "button", class: "copy", "aria-label": "copy the command" }, "Copy"));

  // ---- the table
  const chips = byId("chips");
  if (chips) {
    chips.hidden = false;
    const trs = [...document.querySelectorAll("#operations tbody tr")];
    const pick = () => {
      const on = [...chips.querySelectorAll("[aria-pressed=true]")];
      const methods = on.filter((b) => b.dataset.method).map((b) => b.dataset.method), has = on.filter((b) => b.dataset.has).map((b) => b.dataset.has);
      let n = 0;
      for (const tr of trs) {
        tr.hidden = (methods.length && !methods.includes(tr.dataset.method)) || !has.every((h) => tr.dataset[h] !== "0");
        n += tr.hidden ? 0 : 1;
      }
      byId("rows").textContent = on.length ? `${n} of ${plural(trs.length, "operation")}` : "";
    };
    chips.addEventListener("click", (e) => {
      const b = e.target.closest("button");
      if (!b) return;
      b.setAttribute("aria-pressed", b.getAttribute("aria-pressed") === "true" ? "false" : "true");
      pick();
    });
  }

  // ---- a report that grows: the page is read again, as it is looked at, unless somebody reads on in it
  const live = document.body.dataset.live;
  if (live) {
    const key = "contracttest-view", status = byId("live"), refresh = byId("refresh");
    const opened = () => [...document.querySelectorAll("#overview details[open]")];
    const pressed = () => [...document.querySelectorAll("#chips [aria-pressed=true]")];
    const reload = () => {
      sessionStorage.setItem(key, JSON.stringify({
        y: scrollY, open: opened().map((d) => d.closest("[id]").id), chips: pressed().map((b) => b.dataset.method || b.dataset.has), theme: root.dataset.theme,
      }));
      location.reload();
    };
    refresh.addEventListener("click", reload);
    const before = JSON.parse(sessionStorage.getItem(key) || "null");
    sessionStorage.removeItem(key);
    if (before) {
      if (before.theme) { root.dataset.theme = before.theme; tell(); }
      for (const id of before.open) { const d = byId(id)?.querySelector("details"); if (d) d.open = true; }
      for (const b of document.querySelectorAll("#chips button")) if (before.chips.includes(b.dataset.method || b.dataset.has)) b.click();
      requestAnimationFrame(() => scrollTo(0, before.y));
    }
    let shown = null;
    const events = new EventSource(live);
    events.addEventListener("message", (e) => {
      const now = JSON.parse(e.data);
      status.textContent = `live: ${plural(now.exchanges, "exchange")}, ${plural(now.errors, "error")}, ${plural(now.warnings, "warning")}`;
      if (shown === null) { shown = e.data; return; } // what the page has
      if (shown === e.data) return;
      const reads = byId("overview").hidden || opened().length || !getSelection().isCollapsed;
      if (reads) refresh.hidden = false;
      else { shown = e.data; reload(); }
    });
    events.addEventListener("error", () => { status.textContent = "not live: the server does not answer"; });
    addEventListener("pagehide", () => events.close());
  }

  // ---- the data
  const packed = Uint8Array.from(atob(byId("data").textContent), (c) => c.charCodeAt(0));
  const data = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
  const lists = { files: data.files || [], clauses: data.clauses || [], findings: data.findings || [], groups: data.groups || [], exchanges: data.exchanges || [] };
  const atLine = new Map(), ofClause = new Map(), foundOf = new Map(), groupOf = new Map();
  const push = (map, key, value) => { if (map.has(key)) map.get(key).push(value); else map.set(key, [value]); };
  for (const c of lists.clauses) push(atLine, `${c.f}:${c.l}`, c);
  for (const f of lists.findings) push(foundOf, f.clause, f);
  for (const g of lists.groups) for (const i of g.findings) groupOf.set(lists.findings[i], g);
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
        el("div", {}, el("h3", {}, "Request"), message(`${x.m} ${x.u}`, x.q, part, "request")),
        el("div", {}, el("h3", {}, `Response, expected ${x.e}`), x.s ? message(`HTTP ${x.s}`, x.a, part, "response") : el("pre", {}, el("mark", {}, x.err || "no response")))));
      if (x.s && x.err) d.append(el("p", { class: "note" }, x.err));
      d.append(command(x.curl));
    };
    const d = el("details", {}, el("summary", {},
      el("span", { class: "code" }, x.s ? String(x.s) : "—"),
      el("span", { class: "label" }, `${x.m} ${label}`),
      el("span", { class: "why" }, (x.fd || []).length ? "finding" : x.x ? "breaks it" : "keeps it")));
    d.addEventListener("toggle", () => d.open && fill(d));
    if (open) { fill(d); d.open = true; }
    return d;
  };

  const lineOf = (f) => `#f${f.file}l${f.place.line}`;
  const found = (f) => el("div", { class: f.severity === "error" ? "found" : "found warn" }, `${f.severity === "error" ? "✗" : "!"} ${f.message}`,
    el("dl", {}, ...[["check", f.check], ["expected", f.expected], ["seen", f.actual], ["times", String(f.count)], ["finding", f.id], ...(f.known ? [["known", f.known.why]] : [])].flatMap(([k, v]) => [el("dt", {}, k), el("dd", {}, v)])),
    groupOf.has(f) ? el("a", { href: `#g-${groupOf.get(f).id}` }, `cause: ${groupOf.get(f).title}`) : null,
    f.again ? command(f.again) : null);

  const clauseBlock = (c) => {
    const body = el("div", { class: "body" }, (foundOf.get(c.n) || []).map(found));
    if (c.r) body.append(el("p", { class: "empty" }, `${c.s === "not_proven" ? "not proven" : "never tried"}: ${c.r}`));
    const all = (ofClause.get(c.n) || []).slice().sort((a, b) => (b.fd || []).length - (a.fd || []).length);
    all.slice(0, maxShown).forEach((x, i) => body.append(exchange(x, c.n, i === 0 && (x.fd || []).length > 0)));
    if (all.length > maxShown) {
      const more = el("button", { type: "button" }, plural(all.length - maxShown, "more exchange"));
      more.addEventListener("click", () => more.replaceWith(...all.slice(maxShown).map((x) => exchange(x, c.n, false))));
      body.append(more);
    }
    if (!all.length && !c.r) body.append(el("p", { class: "empty" }, c.a ? "It is judged in every response; none of them is shown here for it alone." : "No exchange is shown for it alone: other cases have kept it."));
    return el("article", { class: "clause" },
      el("div", { class: "head" }, el("span", { class: `pill ${c.c}` }, says[c.c]), el("span", { class: "text" }, c.t),
        el("span", { class: "name" }, c.n, el("span", { class: "dim" }, ` · ${states[c.s] || c.s}`))), body);
  };

  // ---- the findings of a cause, each a link to its line
  for (const box of document.querySelectorAll(".members")) {
    const g = lists.groups.find((g) => g.id === box.dataset.group);
    if (!g) continue;
    const fill = () => {
      if (box.firstChild) return;
      const all = g.findings.map((i) => lists.findings[i]);
      box.append(el("ul", {}, all.slice(0, maxMembers).map((f) => el("li", {}, el("a", { href: lineOf(f) }, `line ${f.place.line}`), ` ${f.clause || f.operation}`, el("span", { class: "dim" }, ` ${f.message}`)))));
      if (all.length > maxMembers) box.append(el("p", { class: "empty" }, `and ${all.length - maxMembers} more: the JSON report has them all`));
    };
    const details = box.closest("details");
    details.addEventListener("toggle", () => details.open && fill());
    if (details.open) fill();
  }

  // ---- the document: its lines are made when somebody looks at it
  const source = byId("source"), panel = byId("panel"), content = byId("content"), matches = byId("matches");
  let lines = [], inView = [];
  const draw = () => {
    if (source.firstChild) return;
    lists.files.forEach((file, n) => {
      const here = lists.clauses.filter((c) => c.f === n);
      const text = file.text ? file.text.split("\n") : Array.from({ length: Math.max(0, ...here.map((c) => c.l)) }, () => "");
      const box = el("div", { class: "lines", role: "group", "aria-label": file.name });
      text.forEach((line, i) => {
        const all = atLine.get(`${n}:${i + 1}`);
        const id = `f${n}l${i + 1}`;
        if (!all) { box.append(el("div", { class: "ln", id }, el("i", {}, i + 1), el("b"), el("code", {}, line))); return; }
        // A line has what is wrong in it; else all of its clauses are shown, or none was tried, or some.
        const states = new Set(all.map((c) => c.c));
        const state = ["finding", "warning"].find((s) => states.has(s)) || (states.size === 1 ? all[0].c : "partly");
        const shown = all.filter((c) => !["unreached", "not_proven"].includes(c.s)).length;
        const count = all.length > 1 ? `${shown}/${all.length}` : "";
        box.append(el("button", { type: "button", class: `ln ${state}`, id, "data-f": n, "data-l": i + 1, "aria-label": `${i + 1} ${signs[state]} ${line.trim()}${count && ` ${count}`}: ${says[state].slice(2)}` }, // what is seen, and then what it means
          el("i", {}, i + 1), " ", el("b", {}, signs[state]), " ", el("code", {}, line), count && " ", count && el("span", { class: "n", title: "clauses that are shown" }, count)));
      });
      source.append(el("h2", {}, file.name), box);
    });
    lines = [...source.querySelectorAll("button.ln")];
    inView = lines;
    for (const o of new Set(lists.clauses.map((c) => c.o))) operation.append(el("option", { value: o }, o));
    for (const c of [...new Set(lists.findings.map((f) => f.check))].sort()) check.append(el("option", { value: c }, c));
    for (const o of state.options) if (o.value) o.textContent += ` (${lists.clauses.filter((c) => c.c === o.value).length.toLocaleString("en")})`;
  };
  const guide = () => content.replaceChildren(
    el("h2", {}, "The lines"), el("ul", { class: "legend" },
      el("li", { class: "shown" }, "✓ kept, and refused when broken; or kept by responses"), el("li", { class: "partly" }, "◐ some of its clauses, or not proven; 18/20: of 20 clauses 18 are shown"),
      el("li", { class: "finding" }, "✗ a finding"), el("li", { class: "warning" }, "! a warning"), el("li", { class: "untried" }, "○ never tried")),
    el("h3", {}, "Exchanges"), el("p", { class: "empty" },
      `${plural(lists.exchanges.length, "exchange")} of ${data.total.toLocaleString("en")} can be looked at: those with findings first, then a few that keep and a few that break each clause. Choose a line; with the keyboard: j and k go to the next and the previous one, / searches, Esc returns here.`));
  let selected = null;
  const select = (line) => {
    if (selected) { selected.classList.remove("selected"); selected.removeAttribute("aria-current"); }
    selected = line;
    if (!line) { guide(); return; }
    line.classList.add("selected");
    line.setAttribute("aria-current", "true");
    const here = (atLine.get(`${line.dataset.f}:${line.dataset.l}`) || []).slice().sort((a, b) => order.indexOf(a.c) - order.indexOf(b.c));
    const shown = here.filter(visible);
    content.replaceChildren(el("h2", {}, `Line ${line.dataset.l}: ${plural(here.length, "clause")}`), ...(shown.length ? shown : here).slice(0, 200).map(clauseBlock));
    panel.scrollTop = 0;
  };
  const go = (line, focus) => {
    if (!line || line.tagName !== "BUTTON") return;
    select(line); // first, as the panel may cover a part of the lines
    line.scrollIntoView({ block: "center", behavior: "instant" });
    if (focus) line.focus({ preventScroll: true });
    history.replaceState(null, "", `#${line.id}`);
  };

  // ---- filters
  const state = byId("state"), operation = byId("operation"), check = byId("check"), search = byId("search");
  const haystack = new Map();
  const textOf = (c) => {
    if (!haystack.has(c)) haystack.set(c, [c.n, c.t, ...(foundOf.get(c.n) || []).map((f) => f.message), ...(ofClause.get(c.n) || []).map((x) => `${x.id} ${x.u} ${x.q.b} ${x.a.b}`)].join("\n").toLowerCase());
    return haystack.get(c);
  };
  const visible = (c) => (!state.value || c.c === state.value) && (!operation.value || c.o === operation.value) &&
    (!check.value || (foundOf.get(c.n) || []).some((f) => f.check === check.value)) && (!search.value || textOf(c).includes(search.value.toLowerCase()));
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
  byId("filters").addEventListener("submit", (e) => { e.preventDefault(); go(inView[0], true); });
  if (innerWidth <= 900) byId("filters-box").open = false;

  // ---- which part is shown: the address says it, so that links can be sent
  const show = (name) => {
    for (const part of ["overview", "document"]) {
      byId(part).hidden = part !== name;
      if (part === name) byId(`to-${part}`).setAttribute("aria-current", "page");
      else byId(`to-${part}`).removeAttribute("aria-current");
    }
    document.body.dataset.part = name;
    if (name === "document") { draw(); if (!content.firstChild) guide(); }
  };
  const follow = (fresh) => {
    const hash = decodeURIComponent(location.hash.slice(1));
    if (/^f\d+l\d+$/.test(hash)) { show("document"); go(byId(hash), !fresh); return; }
    if (hash === "document") {
      show("document");
      if (!selected) (inView.find((l) => l.classList.contains("finding")) || inView.find((l) => l.classList.contains("warning")) || inView[0])?.scrollIntoView({ block: "center", behavior: "instant" });
      return;
    }
    show("overview");
    const cause = hash.startsWith("g-") && byId(hash);
    if (!cause) return;
    for (let d = cause; d; d = d.parentElement) if (d.tagName === "DETAILS") d.open = true;
    cause.querySelector("details").open = true;
    cause.scrollIntoView({ block: "start", behavior: "instant" });
    cause.querySelector("summary").focus({ preventScroll: true });
  };
  addEventListener("hashchange", () => follow(false));

  // ---- mouse, keyboard
  byId("overview").addEventListener("click", (e) => {
    const link = e.target.closest("a[data-operation]");
    if (!link) return;
    draw();
    operation.value = link.dataset.operation;
    byId("filters-box").open = true;
    filter();
  });
  source.addEventListener("click", (e) => {
    const line = e.target.closest("button.ln");
    if (line) { select(line); history.replaceState(null, "", `#${line.id}`); }
  });
  const step = (by) => {
    if (!inView.length) return;
    const at = selected ? inView.indexOf(selected) : by > 0 ? -1 : inView.length;
    go(inView[Math.max(0, Math.min(inView.length - 1, at + by))], true);
  };
  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || byId("document").hidden) return;
    const typing = e.target.matches("input, select");
    if (e.key === "Escape") { if (typing) { search.value = ""; e.target.blur(); filter(); } else { select(null); history.replaceState(null, "", "#document"); } return; }
    if (typing) return;
    const inSource = e.target.matches("button.ln");
    if (e.key === "j" || (inSource && e.key === "ArrowDown")) { step(1); e.preventDefault(); }
    else if (e.key === "k" || (inSource && e.key === "ArrowUp")) { step(-1); e.preventDefault(); }
    else if (e.key === "/") { byId("filters-box").open = true; search.focus(); e.preventDefault(); }
  });

  follow(true);
  document.body.dataset.ready = "yes";
})();

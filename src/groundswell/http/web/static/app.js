/* What pages do beyond links and forms: charts, suggestions, theme, shortcuts. No inline code. */
"use strict";

(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const theme = () => root.dataset.theme === "system" ? (dark.matches ? "dark" : "light") : root.dataset.theme;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  /* On a phone the navigation scrolls: the place where one is has to be seen. */
  for (const here of all(".places [aria-current]")) {
    const bar = here.parentElement;
    bar.scrollLeft = here.offsetLeft - bar.offsetLeft - (bar.clientWidth - here.offsetWidth) / 2;
  }

  /* Charts: the server sends the same specification that it draws as PNG. */
  const views = new WeakMap();

  function state(kind, title, text) {
    const box = document.createElement("div");
    box.className = `state ${kind}`;
    box.setAttribute("role", kind === "error" ? "alert" : "status");
    const strong = box.appendChild(document.createElement("b"));
    strong.textContent = title;
    if (text) box.appendChild(document.createElement("p")).textContent = text;
    return box;
  }

  async function draw(card) {
    const plot = card.querySelector(".plot");
    const told = card.querySelector(".told");
    const address = new URL(card.dataset.chart, location.href);
    const width = Math.max(280, Math.floor(plot.clientWidth) - 8);
    address.searchParams.set("theme", theme());
    address.searchParams.set("width", width);
    address.searchParams.set("height", Math.floor(plot.clientHeight) - 8);
    const turn = card.dataset.turn = String(Number(card.dataset.turn || 0) + 1);
    let answer, failure;
    try {
      const response = await fetch(address, { headers: { Accept: "application/json" } });
      answer = await response.json();
      if (!response.ok) failure = answer.detail || "The chart could not be loaded.";
    } catch {
      failure = "The service did not answer. Check the connection and try again.";
    }
    if (card.dataset.turn !== turn || !card.isConnected) return;
    views.get(card)?.finalize();
    if (failure) {
      plot.replaceChildren(state("error", "No chart", failure));
      told.textContent = "";
      card.dataset.state = "error";
      return;
    }
    const place = document.createElement("div");
    place.className = "place";
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", answer.alt);
    plot.replaceChildren(place);
    // `ast`: expressions are interpreted, so that the policy needs no `eval`. 1: log errors only.
    views.set(card, await window.vegaEmbed(place, answer.spec, {
      ast: true, actions: false, defaultStyle: false, renderer: "svg", tooltip, logLevel: 1,
    }));
    told.textContent = answer.sentence;
    card.dataset.state = "drawn";
  }

  /* The tooltip of a chart: words that the server made, placed with the pointer, as text only. */
  function tooltip(_handler, event, _item, value) {
    let box = document.getElementById("tooltip");
    if (!box) {
      box = document.body.appendChild(document.createElement("div"));
      box.id = "tooltip";
    }
    if (!value?.tip) {
      box.classList.remove("visible");
      return;
    }
    const head = document.createElement("h2");
    head.textContent = value.time;
    const table = document.createElement("table");
    for (const [name, text] of Object.entries(value.tip)) {
      const row = table.insertRow();
      const key = row.insertCell(), figure = row.insertCell();
      key.className = "key"; key.textContent = name;
      figure.className = "value"; figure.textContent = text;
    }
    box.replaceChildren(head, table);
    box.classList.add("visible");
    const x = event.clientX + 16, y = event.clientY + 16;
    box.style.left = `${Math.max(8, Math.min(x, innerWidth - box.offsetWidth - 8))}px`;
    box.style.top = `${Math.max(8, Math.min(y, innerHeight - box.offsetHeight - 8))}px`;
  }

  const redraw = () => all("[data-chart]").forEach(draw);
  document.addEventListener("htmx:load", (event) => {
    const within = event.detail.elt;
    all("[data-chart]", within.parentElement || document).filter((c) => !c.dataset.turn).forEach(draw);
  });
  let resizing, lastWidth = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === lastWidth) return;
    lastWidth = innerWidth;
    clearTimeout(resizing);
    resizing = setTimeout(redraw, 250);
  });
  dark.addEventListener("change", () => { if (root.dataset.theme === "system") redraw(); });

  /* Theme: system → light → dark, remembered in a cookie so that the server draws it at once. */
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-switch]")) return;
    root.dataset.theme = theme() === "dark" ? "light" : "dark";
    document.cookie = `theme=${root.dataset.theme}; Path=/; Max-Age=31536000; SameSite=Lax`;
    redraw();
  });

  /* Copy buttons. */
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard?.writeText(button.dataset.copy);
    const before = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = before; }, 1500);
  });

  /* Open panels close with Escape and with a click elsewhere. */
  document.addEventListener("click", (event) => {
    all("details.picker[open]").filter((d) => !d.contains(event.target)).forEach((d) => { d.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") all("details.picker[open]").forEach((d) => { d.open = false; d.querySelector("summary").focus(); });
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const search = document.querySelector("[data-search]");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    }
  });

  /* The address holds the whole state, and only what was chosen. */
  document.addEventListener("formdata", (event) => tidy(event.formData, event.target));
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.formData && event.detail.elt.matches("[data-state-form]")) tidy(event.detail.formData, event.detail.elt);
  });
  function tidy(data, form) {
    for (const name of new Set(data.keys())) {
      const kept = data.getAll(name).filter((value) => value !== "");
      data.delete(name);
      kept.forEach((value) => data.append(name, value));
    }
    if (data.getAll("field").join("\n") === form.dataset.defaultFields) data.delete("field");
  }
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-state-form]");
    const group = event.target.closest("[data-choices]");
    if (group && event.target.value === "" && event.target.checked) {
      all("input", group).forEach((input) => { if (input !== event.target) input.checked = false; });
    } else if (group) {
      const any = group.querySelector("input[value='']");
      if (any) any.checked = !all("input", group).some((input) => input !== any && input.checked);
    }
    if (form && event.target.matches("[data-submits]")) form.requestSubmit();
  });

  /* Suggestions of the search bar: fields of the query language, by what is typed. */
  const known = new Map();
  async function fields(address) {
    if (!known.has(address)) {
      known.set(address, fetch(address).then((r) => r.ok ? r.json() : []).catch(() => []));
    }
    return known.get(address);
  }
  function wordAt(input) {
    const before = input.value.slice(0, input.selectionStart);
    return before.match(/[^\s()"]*$/)[0];
  }
  async function suggest(input) {
    const list = document.getElementById(input.getAttribute("aria-controls"));
    const word = wordAt(input);
    const bare = word.replace(/^!/, "").replace(/^has:/, "").toLowerCase();
    const entries = bare.includes(":") ? [] : await fields(input.dataset.search);
    if (word !== wordAt(input) || document.activeElement !== input) return;
    const ranked = entries
      .map((entry) => [entry, entry.name.toLowerCase().indexOf(bare)])
      .filter(([, at]) => at >= 0)
      .sort((a, b) => (a[1] > 0) - (b[1] > 0))
      .slice(0, 40);
    list.replaceChildren(...ranked.map(([entry], index) => {
      const item = document.createElement("li");
      item.id = `${list.id}-${index}`;
      item.setAttribute("role", "option");
      item.dataset.name = entry.name;
      item.append(entry.name);
      item.appendChild(document.createElement("span")).textContent = entry.about;
      return item;
    }));
    show(input, list, ranked.length > 0);
  }
  function show(input, list, open) {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) input.removeAttribute("aria-activedescendant");
  }
  function take(input, list, item) {
    const word = wordAt(input);
    const prefix = word.match(/^!?(has:)?/)[0];
    const start = input.selectionStart - word.length;
    const text = prefix + item.dataset.name + (prefix.endsWith("has:") ? " " : ":");
    input.setRangeText(text, start, input.selectionStart, "end");
    show(input, list, false);
    input.focus();
  }
  document.addEventListener("input", (event) => { if (event.target.matches("[data-search]")) suggest(event.target); });
  document.addEventListener("focusin", (event) => { if (event.target.matches("[data-search]")) suggest(event.target); });
  document.addEventListener("focusout", (event) => {
    if (event.target.matches("[data-search]")) {
      const list = document.getElementById(event.target.getAttribute("aria-controls"));
      setTimeout(() => show(event.target, list, false), 120);
    }
  });
  document.addEventListener("pointerdown", (event) => {
    const item = event.target.closest(".suggestions li");
    if (!item) return;
    event.preventDefault();
    const list = item.parentElement;
    take(document.querySelector(`[aria-controls="${list.id}"]`), list, item);
  });
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches("[data-search]")) return;
    const input = event.target;
    const list = document.getElementById(input.getAttribute("aria-controls"));
    if (list.hidden) return;
    const items = all("li", list);
    const current = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = (current + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length;
      items.forEach((item, i) => item.setAttribute("aria-selected", String(i === next)));
      items[next].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", items[next].id);
    } else if ((event.key === "Tab" || event.key === "Enter") && current >= 0) {
      event.preventDefault();
      take(input, list, items[current]);
    } else if (event.key === "Escape" || event.key === "Enter") {
      if (event.key === "Escape") event.preventDefault();
      show(input, list, false);
    }
  });
})();

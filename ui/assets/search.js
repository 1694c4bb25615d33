// The 検索 screen: the address of the page says what is looked for, and this shows it. The last search wins.
(() => {
  "use strict";
  const ROOT = new URL("../", document.currentScript.src); // works under a path prefix
  const PAUSE = 300; // ms after the last key
  const SHARED = ["municipality", "fiscal_year", "department"];
  const OWN = ["q", ...SHARED, "section", "rating", "budget", "sort", "p"];
  const $ = (selector) => document.querySelector(selector);

  // --- what is looked for ------------------------------------------------------------------------------------------
  let wanted = parts(new URLSearchParams(window.location.search));
  let asked = null; // the request under way
  // What the shared filters hold, as JSON: at the start they are filled from the address as well.
  let shared = JSON.stringify(SHARED.map((name) => wanted.getAll(name).map((value) => (name === "fiscal_year" ? Number(value) : value))));
  let scope = [[], [], []];
  let timer = 0;
  let filled = null; // the box that was filled: Gradio may put a new one in its place

  function parts(params) {
    const found = new URLSearchParams();
    for (const name of OWN) for (const value of params.getAll(name)) if (value) found.append(name, value);
    return found;
  }
  function keepAddress() {
    const address = new URL(window.location);
    for (const name of OWN) address.searchParams.delete(name);
    for (const [name, value] of wanted) address.searchParams.append(name, value);
    if ($("#hy-words")?.offsetParent) address.searchParams.set("tab", "search");
    window.history.replaceState(null, "", address);
  }

  async function show(moved) {
    clearTimeout(timer);
    asked?.abort();
    const own = asked = new AbortController();
    keepAddress();
    const place = $("#hy-found");
    if (!place) return; // shown as soon as the tab is there
    place.setAttribute("aria-busy", "true");
    let answer;
    try {
      const response = await fetch(new URL(`search/results?${wanted}`, ROOT), { signal: own.signal });
      if (!response.ok && response.status !== 503) throw new Error(String(response.status));
      answer = await response.json(); // a server with too much to do says so itself; a proxy's 503 is no JSON
      if (typeof answer.results !== "string") throw new Error(String(response.status));
    } catch (problem) {
      if (own !== asked || problem.name === "AbortError") return;
      answer = { results: '<div class="hy-box hy-results"><p class="hy-none" role="status">検索結果を受け取れませんでした。'
        + "通信の状態を確かめて、もう一度「検索する」を押してください。</p></div>", facets: "" };
    }
    if (own !== asked) return; // a newer search is under way
    fill(answer, moved);
    if (answer.scope) share(answer.scope);
  }
  function fill(answer, moved) {
    const place = $("#hy-found");
    const list = $("#hy-facet-list");
    const open = [...document.querySelectorAll("#hy-facet-list details[open]")].map((one) => one.id);
    const at = document.activeElement?.matches?.("#hy-facet-list input") ? document.activeElement : null;
    const sorting = document.activeElement?.id === "hy-sort";
    place.innerHTML = answer.results;
    place.setAttribute("aria-busy", "false");
    list.innerHTML = answer.facets;
    list.closest(".hy-side").classList.toggle("hy-empty", !answer.facets);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (at) [...list.querySelectorAll("input")].find((one) => one.name === at.name && one.value === at.value)?.focus();
    if (sorting) $("#hy-sort")?.focus();
    if (moved) {
      $("#hy-search").scrollIntoView({ block: "start" });
      $("#hy-found .hy-count")?.focus({ preventScroll: true });
    }
  }
  function go(params, moved) {
    wanted = parts(params);
    const box = $("#hy-words");
    if (box) box.value = wanted.get("q") ?? "";
    show(moved);
  }

  // --- the box -----------------------------------------------------------------------------------------------------
  let composing = false;
  const isBox = (event) => event.target?.id === "hy-words";
  function typed(now) {
    clearTimeout(timer);
    const words = $("#hy-words").value.trim();
    if (words === (wanted.get("q") ?? "") && !now) return;
    timer = setTimeout(() => {
      wanted.delete("p");
      if (words) wanted.set("q", words); else wanted.delete("q");
      show();
    }, now ? 0 : PAUSE);
  }
  document.addEventListener("compositionstart", (event) => { if (isBox(event)) { composing = true; clearTimeout(timer); } });
  document.addEventListener("compositionend", (event) => { if (isBox(event)) { composing = false; typed(false); } });
  document.addEventListener("input", (event) => {
    if (isBox(event) && !composing && !event.isComposing) typed(false);
  });
  document.addEventListener("keydown", (event) => {
    if (!isBox(event) || event.key !== "Enter" || composing || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    typed(true);
  });

  // --- facets, order, pages ----------------------------------------------------------------------------------------
  document.addEventListener("change", (event) => {
    const one = event.target;
    if (one.closest?.("#hy-facet-list")) {
      const left = wanted.getAll(one.name).filter((value) => value !== one.value);
      wanted.delete(one.name);
      for (const value of one.checked ? [...left, one.value] : left) wanted.append(one.name, value);
    } else if (one.id === "hy-sort") {
      if (one.value === "relevance") wanted.delete("sort"); else wanted.set("sort", one.value);
    } else {
      return;
    }
    wanted.delete("p");
    show();
  });
  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const link = event.target.closest?.("#hy-found a.hy-go");
    if (link) {
      event.preventDefault();
      go(new URL(link.href).searchParams, true);
    } else if (event.target.closest?.(".hy-search-now")) {
      typed(true);
    } else if (event.target.closest?.(".hy-copy-link")) {
      copyLink(event.target.closest(".hy-copy-link"));
    } else if (event.target.closest?.("#hy-tabs [role='tab']")) {
      setTimeout(followTab);
    }
  });
  function followTab() {
    const address = new URL(window.location);
    if ($("#hy-words")?.offsetParent && wanted.get("q")) address.searchParams.set("tab", "search");
    else if (address.searchParams.get("tab") === "search") address.searchParams.delete("tab");
    window.history.replaceState(null, "", address);
  }
  async function copyLink(button) {
    keepAddress();
    try {
      await navigator.clipboard.writeText(window.location.href);
    } catch {
      // Plain http on a city's own network has no clipboard API: the old way still works there.
      const area = document.createElement("textarea");
      area.value = window.location.href;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = button.textContent;
    button.textContent = "コピーしました";
    setTimeout(() => { button.textContent = before; }, 2_000);
  }

  // --- the filters that all screens share --------------------------------------------------------------------------
  function share(chosen) {
    scope = chosen;
    if (JSON.stringify(chosen) === shared) return;
    shared = JSON.stringify(chosen);
    document.getElementById("hy-share")?.click();
  }
  let settling = 0;
  window.hyokaSearch = {
    scope: () => scope,
    // Called with what the shared filters hold, whoever changed them; they change one after the other.
    scoped(chosen) {
      clearTimeout(settling);
      settling = setTimeout(() => {
        const held = chosen.map((values) => [...(values ?? [])]);
        if (JSON.stringify(held) === shared) return;
        shared = JSON.stringify(held);
        scope = held;
        const before = String(wanted);
        SHARED.forEach((name, at) => {
          wanted.delete(name);
          for (const value of held[at]) wanted.append(name, value);
        });
        wanted = parts(wanted);
        if (String(wanted) === before) return;
        wanted.delete("p");
        if (wanted.get("q")) show(); else keepAddress();
      }, 100);
    },
  };

  // 全角 digits and letters, and an era's letter, find a year in the shared filters too.
  const plain = (text) => text.normalize("NFKC").replace(/^r(?=\d|$)/i, "令和").replace(/^h(?=\d|$)/i, "平成");
  function widen(event) {
    const box = event.target;
    if (!box.matches?.("#hy-scope input[role='listbox'], #hy-scope input") || event.isComposing) return;
    const text = box.closest("#hy-scope-fiscal_year") ? plain(box.value) : box.value.normalize("NFKC");
    if (text === box.value) return;
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }
  document.addEventListener("input", widen);
  document.addEventListener("compositionend", widen);

  // The box comes with its tab: what the address asks for is shown once it is there.
  function arrive() {
    const box = $("#hy-words");
    if (!box || box === filled || !$("#hy-facet-list") || !$("#hy-found")) return;
    filled = box;
    box.value = wanted.get("q") ?? "";
    $("#hy-facet-list").closest(".hy-side").classList.add("hy-empty");
    if (box.value) show();
  }
  new MutationObserver(arrive).observe(document.documentElement, { childList: true, subtree: true });
  arrive();
})();

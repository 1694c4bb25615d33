// The few things the screens do in the browser. Nothing here talks to another host.
(() => {
  "use strict";
  document.documentElement.lang = "ja"; // Gradio's page says "en"; a screen reader would read Japanese with English rules.

  // Enter that closes a kana-kanji conversion must not send. Chrome marks it with isComposing, Safari with keyCode 229.
  let composing = false;
  document.addEventListener("compositionstart", () => { composing = true; }, true);
  document.addEventListener("compositionend", () => { composing = false; }, true);
  for (const kind of ["keydown", "keypress"]) {
    document.addEventListener(kind, (event) => {
      if (event.key === "Enter" && (composing || event.isComposing || event.keyCode === 229)) {
        event.stopImmediatePropagation();
      }
    }, true);
  }

  // A sheet page inside a frame of ours: no way "back" to the screens it already stands in, and Esc closes the drawer,
  // because a key pressed inside a frame is not heard outside it.
  function dress(frame) {
    frame.addEventListener("load", () => {
      frame.contentDocument.querySelector(".hy-home")?.remove();
      frame.contentWindow.addEventListener("keydown", (event) => { if (event.key === "Escape") drawer?.close(); });
    });
  }

  // Links to sheets open beside the conversation; with a modifier key, or without this script, in a tab of their own.
  let drawer = null;
  function openDrawer(link) {
    if (!drawer) {
      drawer = document.createElement("dialog");
      drawer.className = "hy-drawer";
      drawer.setAttribute("aria-label", "シートの原文");
      drawer.innerHTML = '<div class="hy-box hy-drawer-inner"><div class="hy-drawer-bar">'
        + '<a target="_blank" rel="noopener">別のタブで開く</a>'
        + '<button type="button" class="hy-button">閉じる（Esc）</button></div>'
        + '<iframe title="シートの原文"></iframe></div>';
      drawer.querySelector("button").addEventListener("click", () => drawer.close());
      drawer.addEventListener("click", (event) => { if (event.target === drawer) drawer.close(); });
      drawer.addEventListener("close", () => { drawer.querySelector("iframe").src = "about:blank"; });
      dress(drawer.querySelector("iframe"));
      document.querySelector(".gradio-container").append(drawer);
    }
    drawer.querySelector("a").href = link.href;
    drawer.querySelector("iframe").src = link.href;
    drawer.showModal();
  }
  function openSheet(link) {
    const pane = link.closest(".hy-catalogue") ? document.querySelector(".hy-pane") : null;
    if (!pane || !pane.closest(".hy-pane-column").offsetParent) { openDrawer(link); return; }
    if (pane.hidden) dress(pane);
    pane.hidden = false;
    document.querySelector(".hy-pane-hint").hidden = true;
    for (const other of document.querySelectorAll(".hy-catalogue a[aria-current]")) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    pane.src = link.href;
  }

  // Gradio labels a message with its raw HTML; a screen reader would read the tags aloud. It also adds messages below
  // the edge of the window: a new question is brought to the top, with its answer under it.
  let questions = 0;
  let folded = false;
  function tidy() {
    for (const message of document.querySelectorAll("#hy-chat [data-testid='user'], #hy-chat [data-testid='bot']")) {
      const name = message.dataset.testid === "user" ? "質問" : "回答";
      if (message.getAttribute("aria-label") !== name) message.setAttribute("aria-label", name);
    }
    const log = document.querySelector("#hy-chat [role='log']");
    if (log && log.getAttribute("aria-label") !== "会話") log.setAttribute("aria-label", "会話");
    const asked = document.querySelectorAll("#hy-chat .hy-question");
    if (asked.length > questions) asked[asked.length - 1].scrollIntoView({ block: "start" });
    questions = asked.length;
    requestAnimationFrame(foldFacets);
  }
  // On a telephone the facets would push the first result off the screen: they start folded.
  function foldFacets() {
    const open = folded || window.innerWidth > 640 ? null : document.querySelector("#hy-facets > button.open");
    if (open && open.offsetParent) { folded = true; open.click(); }
  }
  new MutationObserver(tidy).observe(document.documentElement, { childList: true, subtree: true });

  function cells(table) {
    const text = (cell) => {
      const shown = cell.textContent.trim();
      // 1,200円 is a number for Excel; other units stay, because 3件 and 3% are not the same.
      return cell.classList.contains("hy-num") ? shown.replaceAll(",", "").replace(/円$/, "") : shown;
    };
    const rows = [...table.querySelectorAll("tbody tr")].map((row) => [...row.cells].map(text));
    return { columns: [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim()), rows };
  }
  function save(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }
  function saveCsv(table) {
    const { columns, rows } = cells(table);
    // A text that starts like a formula gets an apostrophe, so that Excel shows it instead of computing it.
    const field = (value) => `"${value.replace(/^(?=[=+@]|-[^\d.])/, "'").replaceAll('"', '""')}"`;
    const lines = [columns, ...rows].map((row) => row.map(field).join(","));
    save(new Blob(["\ufeff" + lines.join("\r\n") + "\r\n"], { type: "text/csv;charset=utf-8" }), "回答.csv");
  }
  async function saveExcel(table) {
    const { columns, rows } = cells(table);
    const typed = rows.map((row) => row.map((value) => (/^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value)));
    const answer = await fetch("/export/table.xlsx", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ columns, rows: typed }),
    });
    if (answer.ok) save(await answer.blob(), "回答.xlsx");
  }

  async function copy(button) {
    const plain = button.closest(".hy-answer").querySelector(".hy-plain").cloneNode(true);
    for (const line of plain.querySelectorAll("br")) line.replaceWith("\n");
    const text = plain.textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Plain http on a city's own network has no clipboard API: the old way still works there.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = button.textContent;
    button.textContent = "コピーしました";
    setTimeout(() => { button.textContent = before; }, 2_000);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='/sheet/']");
    if (link && !(event.ctrlKey || event.metaKey || event.shiftKey || event.button)) {
      event.preventDefault();
      openSheet(link);
      return;
    }
    const button = event.target.closest?.("button");
    if (!button) return;
    const table = button.closest(".hy-table")?.querySelector("table");
    const is = (name) => button.classList.contains(name);
    if (is("hy-csv")) saveCsv(table);
    if (is("hy-xlsx")) saveExcel(table);
    if (is("hy-copy")) copy(button);
    if (is("hy-unfold")) {
      table.classList.add("hy-unfolded");
      button.remove();
    }
  });
})();

// The few things the screens do in the browser. Nothing here talks to another host.
(() => {
  "use strict";
  const ROOT = new URL("../", document.currentScript.src); // works under a path prefix

  // The text size is a cookie, because the server writes it into every page before it is drawn (ui/dress.py).
  const SIZES = { "hy-size-1": "", "hy-size-2": "large", "hy-size-3": "largest" };
  const root = document.documentElement;
  const sized = () => Object.entries(SIZES).find(([, size]) => size && root.classList.contains(`hy-${size}`))?.[0] ?? "hy-size-1";
  function resize(name) {
    for (const page of [document, ...[...document.querySelectorAll("iframe")].map((frame) => frame.contentDocument)]) {
      for (const [other, size] of Object.entries(SIZES)) {
        if (size) page?.documentElement.classList.toggle(`hy-${size}`, other === name);
      }
    }
    document.cookie = `hyoka-text=${SIZES[name]}; path=/; max-age=${SIZES[name] ? 31_536_000 : 0}; samesite=lax`;
    tidy();
  }

  // Enter that closes a kana-kanji conversion must not send. Chrome marks it with isComposing, Safari with keyCode 229.
  let composing = false;
  document.addEventListener("compositionstart", () => { composing = true; }, true);
  // A conversion also ends when its box is left, and not every browser says so.
  for (const kind of ["compositionend", "focusout"]) document.addEventListener(kind, () => { composing = false; }, true);
  for (const kind of ["keydown", "keypress"]) {
    document.addEventListener(kind, (event) => {
      if (event.key === "Enter" && (composing || event.isComposing || event.keyCode === 229)) {
        event.stopImmediatePropagation();
      }
    }, true);
  }

  // Years stand in our lists as 2021 and 令和3年度; whoever types ３ or ２０２１ with a Japanese keyboard means the same.
  const digits = (text) => text.replace(/[０-９]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) - 0xfee0)).replaceAll("\u3000", " ");
  for (const kind of ["input", "compositionend"]) {
    document.addEventListener(kind, (event) => {
      const box = event.target;
      if (composing || event.isComposing || !box.closest?.("#hy-scope-fiscal_year") || digits(box.value) === box.value) return;
      box.value = digits(box.value);
      box.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }, true);
  }

  // A sheet page inside a frame of ours: no way "back" to the screens it already stands in, the colours of the screens
  // where an address asks for others than the system's, and Esc leads back to where the sheet was opened, because a key
  // pressed inside a frame is not heard outside it.
  function dress(frame, leave) {
    const dressed = new WeakSet();
    const put = () => {
      const page = frame.contentDocument;
      if (!page?.body || dressed.has(page) || !page.querySelector(".hy-sheet")) return;
      dressed.add(page);
      page.querySelector(".hy-home")?.remove();
      const asked = new URL(window.location).searchParams.get("__theme");
      if (asked === "dark" || asked === "light") page.documentElement.classList.add(asked);
      frame.contentWindow.addEventListener("keydown", (event) => { if (event.key === "Escape") leave(); });
    };
    frame.addEventListener("load", put);
    // Esc may be pressed before the last of a long sheet is there.
    new MutationObserver(() => {
      let loading = true;
      frame.addEventListener("load", () => { loading = false; }, { once: true });
      (function early() { put(); if (loading) requestAnimationFrame(early); })();
    }).observe(frame, { attributeFilter: ["src"] });
  }

  // Links to sheets open beside the conversation; with a modifier key, or without this script, in a tab of their own.
  let drawer = null;
  let opener = null;
  function openDrawer(link) {
    opener = link;
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
      drawer.addEventListener("close", () => {
        drawer.querySelector("iframe").src = "about:blank";
        opener?.focus();
      });
      dress(drawer.querySelector("iframe"), () => drawer.close());
      document.querySelector(".gradio-container").append(drawer);
    }
    drawer.querySelector("a").href = link.href;
    drawer.querySelector("iframe").src = link.href;
    drawer.showModal();
  }
  function openSheet(link, byKeyboard) {
    const pane = link.closest(".hy-catalogue") ? document.querySelector(".hy-pane") : null;
    if (!pane || !pane.closest(".hy-pane-column").offsetParent) { openDrawer(link); return; }
    if (pane.hidden) dress(pane, () => { document.querySelector(".hy-catalogue a[aria-current]")?.focus(); });
    pane.hidden = false;
    document.querySelector(".hy-pane-hint").hidden = true;
    for (const other of document.querySelectorAll(".hy-catalogue a[aria-current]")) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    pane.src = link.href;
    // The rest of a long list stands between the link and the sheet: who came by keyboard is taken there, Esc leads back.
    if (byKeyboard) pane.addEventListener("load", () => pane.contentWindow.focus(), { once: true });
  }

  // What Gradio says in English, or leaves untranslated, in attributes and in places that a screen reader reads.
  const JAPANESE = {
    "More tabs": "ほかの画面", "Liked": "「いいね」と評価しました", "Disliked": "「よくないね」と評価しました", "Close": "閉じる",
    "Table actions": "表の操作", "Open cell menu": "セルのメニュー", "File upload": "ファイルの取り込み", "Copy": "コピー",
    "Copied": "コピーしました", "Fullscreen": "全画面", "Search": "検索", "Remove": "外す", "Clear": "消す", "Stop": "止める",
    "Info": "お知らせ", "Warning": "注意", "Error": "エラー", "Success": "完了", "common.complete": "完了しました",
    "Connection to the server was lost. Attempting reconnection...": "サーバーとの接続が切れました。つなぎ直しています…",
    "Connection re-established.": "サーバーとつながりました。", "Connection errored out.": "サーバーとの接続が切れました。もう一度お試しください。",
  };
  function translate() {
    for (const one of document.querySelectorAll("[aria-label], [title]")) {
      for (const name of ["aria-label", "title"]) {
        const said = JAPANESE[one.getAttribute(name)];
        if (said) one.setAttribute(name, said);
      }
    }
    for (const one of document.querySelectorAll(".toast-title, .toast-text, .sr-only[role='status']")) {
      // Gradio's own text node is changed, not replaced: it goes on writing into it.
      for (const part of one.childNodes) {
        const said = part.nodeType === Node.TEXT_NODE ? JAPANESE[part.data.trim()] : "";
        if (said) part.data = said;
      }
    }
    for (const one of document.querySelectorAll(".progress-text, .meta-text, .meta-text-center")) {
      for (const part of one.childNodes) {
        const told = part.nodeType === Node.TEXT_NODE ? part.data.replace("processing |", "処理中 |").replace("queue:", "順番待ち:") : null;
        if (told !== null && told !== part.data) part.data = told;
      }
    }
    // A button inside a button: the outer one only folds the message, the inner one closes it.
    for (const head of document.querySelectorAll(".toast-header[role]")) {
      head.removeAttribute("role");
      head.removeAttribute("tabindex");
    }
  }

  // The chat's sanitizer drops every role and aria- attribute of an answer: what a screen reader needs is put back.
  function restore() {
    const missing = (name) => document.querySelectorAll(`#hy-chat ${name}:not([aria-label])`);
    for (const link of missing("a.hy-ref")) link.setAttribute("aria-label", `引用${link.textContent.replace(/\D/g, "")}を開く`);
    for (const part of missing(".hy-table .hy-scroll")) {
      for (const [name, value] of Object.entries({ role: "region", tabindex: "0", "aria-label": "回答の表" })) part.setAttribute(name, value);
    }
    for (const drawing of missing(".hy-chart svg")) {
      const title = drawing.closest(".hy-chart").querySelector("figcaption")?.textContent ?? "";
      drawing.setAttribute("role", "img");
      drawing.setAttribute("aria-label", `${title}のグラフ。数値は回答の文と表にあります。`);
    }
    for (const sign of document.querySelectorAll("#hy-chat .hy-sep:not([aria-hidden])")) sign.setAttribute("aria-hidden", "true");
  }

  // An answer grows in steps; a screen reader that heard each of them would begin anew and never end. Gradio's log is
  // kept quiet, and the answer is said once, when it has stopped growing.
  const said = document.createElement("div");
  said.className = "hy-aloud";
  said.setAttribute("role", "status");
  let heard = "";
  let waiting = 0;
  function announce() {
    const answers = document.querySelectorAll("#hy-chat .hy-answer");
    const last = answers[answers.length - 1];
    const body = last?.querySelector(".hy-body") ?? last; // not the buttons under it: they change when they are pressed
    const now = last && !last.querySelector(".hy-wait") && !last.matches(".hy-growing") ? `${answers.length} ${body.textContent}` : "";
    if (!now || now === heard) return;
    heard = now;
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const text = body.innerText.replace(/\[\d+\]/g, "").replace(/\s+/g, " ").trim();
      said.textContent = `回答：${text.length > 300 ? `${text.slice(0, 300)}…続きは画面にあります` : text}`;
    }, SETTLED);
  }
  const SETTLED = 700; // milliseconds without a change

  // Gradio labels a message with its raw HTML; a screen reader would read the tags aloud. It also adds messages below
  // the edge of the window: a new question is brought to the top, with its answer under it.
  let questions = 0;
  let folded = false;
  function tidy() {
    if (!said.isConnected && document.body) document.body.append(said);
    for (const name of Object.keys(SIZES)) {
      const button = document.querySelector(`button.${name}`);
      const pressed = String(name === sized());
      if (button && button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
    }
    translate();
    restore();
    announce();
    for (const message of document.querySelectorAll("#hy-chat [data-testid='user'], #hy-chat [data-testid='bot']")) {
      const name = message.dataset.testid === "user" ? "質問" : "回答";
      if (message.getAttribute("aria-label") !== name) message.setAttribute("aria-label", name);
    }
    const log = document.querySelector("#hy-chat [role='log']");
    if (log && log.getAttribute("aria-label") !== "会話") log.setAttribute("aria-label", "会話");
    if (log && log.getAttribute("aria-live") !== "off") log.setAttribute("aria-live", "off");
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
  new MutationObserver(tidy).observe(root, {
    childList: true, characterData: true, subtree: true, attributes: true, attributeFilter: ["aria-label", "aria-live", "title"],
  });

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
    // A text that starts like a formula gets an apostrophe, so that Excel shows it instead of computing it: the same as
    // assistant/spreadsheets.py does on the server. -1,234 and a dash alone stay as they are.
    const computes = (text) =>
      /^[\s\u200b-\u200f\u2060]*[=+@\-\u2212＝＋＠－]/.test(text) &&
      !/^[+\-\u2212－]?[\d０-９][\d０-９,，]{0,30}([.．][\d０-９]{1,15})?[%％]?$/.test(text) && !/^[-\u2212－]+$/.test(text);
    const field = (value) => `"${(computes(value) ? "'" : "") + value.replaceAll('"', '""')}"`;
    const lines = [columns, ...rows].map((row) => row.map(field).join(","));
    save(new Blob(["\ufeff" + lines.join("\r\n") + "\r\n"], { type: "text/csv;charset=utf-8" }), "回答.csv");
  }
  async function saveExcel(table) {
    const { columns, rows } = cells(table);
    const typed = rows.map((row) => row.map((value) => (/^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value)));
    const answer = await fetch(new URL("export/table.xlsx", ROOT), {
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

  // Paper has no folds to open: what stands behind them is printed, and folded again afterwards.
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll(".hy-answer :is(.hy-body, .hy-cites) details:not([open])")];
    for (const fold of opened) fold.open = true;
  });
  window.addEventListener("afterprint", () => { for (const fold of opened) fold.open = false; });

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href*='/sheet/']");
    if (link && !(event.ctrlKey || event.metaKey || event.shiftKey || event.button)) {
      event.preventDefault();
      openSheet(link, event.detail === 0);
      return;
    }
    if (event.target.closest?.(".hy-skip")) {
      event.preventDefault(); // Gradio's page has a base address: a plain #fragment would load the page anew
      const panel = [...document.querySelectorAll("#hy-tabs [role='tabpanel']")].find((one) => one.offsetParent);
      panel?.setAttribute("tabindex", "-1");
      panel?.focus();
      return;
    }
    const button = event.target.closest?.("button");
    if (!button) return;
    const table = button.closest(".hy-table")?.querySelector("table");
    const is = (name) => button.classList.contains(name);
    const size = Object.keys(SIZES).find(is);
    if (size) resize(size);
    if (is("hy-csv")) saveCsv(table);
    if (is("hy-xlsx")) saveExcel(table);
    if (is("hy-copy")) copy(button);
    if (is("hy-unfold")) {
      table.classList.add("hy-unfolded");
      button.remove();
    }
  });
})();

// 質問: the buttons inside answers. What is pressed goes to the server through #hy-bridge, a component of Gradio (ui/chat.py).
(() => {
  "use strict";
  const answers = () => [...document.querySelectorAll("#hy-chat .hy-answer")];
  const place = (answer) => 2 * answers().indexOf(answer) + 1; // every question has one answer behind it
  function send(name, detail) {
    document.querySelector("#hy-bridge .html-container > *")?.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }

  // The same question again, read otherwise. One at a time, and not while an answer still grows: both would write the
  // conversation, and the later one would undo the earlier.
  const PATIENCE = 20_000; // after that the answer can be pressed again, whatever became of the request
  let asked = null; // the button pressed last, until its answer is there
  let waiting = null; // a press that waits for a growing answer
  let next = null; // a new question sent before that answer is there: it is sent after it
  let timer = 0;
  const growing = () => document.querySelector("#hy-chat .hy-growing, #hy-chat .hy-wait");
  function again(button) {
    if (asked) return;
    if (growing()) { waiting = button; return; }
    const answer = button.closest(".hy-answer");
    asked = { at: place(answer), name: button.name, value: button.value, focused: document.activeElement === button };
    asked.top = answer.getBoundingClientRect().top;
    answer.setAttribute("aria-busy", "true");
    timer = setTimeout(over, PATIENCE);
    send("hy-again", { at: asked.at, name: asked.name, value: asked.value });
  }
  function over() {
    clearTimeout(timer);
    const before = asked;
    asked = null;
    for (const answer of answers()) answer.removeAttribute("aria-busy");
    const button = next;
    next = null;
    requestAnimationFrame(() => requestAnimationFrame(() => { if (button?.isConnected) button.click(); }));
    if (!before) return;
    // Gradio puts the new answer in place of the old one with its next frame; the eye and the keyboard stay where they were.
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const answer = answers()[(before.at - 1) / 2];
      if (answer) window.scrollBy(0, answer.getBoundingClientRect().top - before.top);
      if (!before.focused) return;
      const same = `.hy-again[name="${before.name}"]`;
      const here = [...(answer?.querySelectorAll(same) ?? [])].find((one) => one.value === before.value)
        ?? answer?.querySelector(".hy-again, .hy-button");
      if (document.activeElement === document.body) here?.focus({ preventScroll: true });
    }));
  }
  document.addEventListener("hy-done", over);
  for (const kind of ["keydown", "click"]) {
    document.addEventListener(kind, (event) => {
      if (!asked) return;
      const enter = kind === "keydown" && event.key === "Enter" && !event.shiftKey && !event.isComposing
        && event.keyCode !== 229 && event.target.closest?.("#hy-question");
      const button = kind === "click" && event.target.closest?.("#hy-question .submit-button, #hy-chat .option");
      if (!enter && !button) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      next = button || document.querySelector("#hy-question .submit-button");
    }, true);
  }

  // A new question stands at the top while its answer grows under it, until the answer is whole or the person scrolls.
  let questions = 0;
  let following = false;
  for (const kind of ["wheel", "touchmove", "pointerdown"]) {
    document.addEventListener(kind, () => { following = false; }, { capture: true, passive: true });
  }
  function follow() {
    const asked = document.querySelectorAll("#hy-chat .hy-question");
    if (asked.length > questions) following = true;
    questions = asked.length;
    if (!following || !questions) return;
    asked[questions - 1].scrollIntoView({ block: "start" });
    if (answers().length === questions && answers()[questions - 1].querySelector(".hy-opinion")) following = false;
  }

  // Gradio's sanitizer drops aria attributes: what is chosen is told here.
  function tell() {
    for (const button of document.querySelectorAll("#hy-chat button.hy-switch, #hy-chat button.hy-judge:not([aria-pressed])")) {
      const on = String(button.classList.contains("hy-on"));
      if (button.getAttribute("aria-pressed") !== on) button.setAttribute("aria-pressed", on);
    }
    if (waiting && !growing()) {
      const button = waiting;
      waiting = null;
      if (button.isConnected) again(button);
    }
  }
  new MutationObserver(() => { tell(); follow(); }).observe(document.documentElement, { childList: true, subtree: true });

  // What somebody says about an answer. 👎 is kept at once, what was wrong can be added; 根拠が違う asks which citation.
  function judge(button) {
    const answer = button.closest(".hy-answer");
    if (button.value === "evidence") { askWhy(answer, button); return; }
    press(answer, button);
    send("hy-judge", { at: place(answer), value: button.value });
    if (button.value === "down") askWhy(answer, button);
  }
  function press(answer, button) {
    for (const other of answer.querySelectorAll(".hy-judge")) other.setAttribute("aria-pressed", String(other === button));
    const bar = answer.querySelector(".hy-opinion");
    let status = bar.querySelector("[role=status]");
    if (!status) { // there before it speaks: a screen reader reads what changes
      status = make("span", "hy-kept");
      status.setAttribute("role", "status");
      bar.append(status);
    }
    status.textContent = "";
  }
  document.addEventListener("hy-kept", (event) => {
    const status = answers()[(event.detail - 1) / 2]?.querySelector(".hy-kept");
    if (status) status.textContent = "保存しました。ありがとうございます。";
  });
  function make(tag, name, text) {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text) made.textContent = text;
    return made;
  }
  function citationsOf(answer) {
    return [...answer.querySelectorAll(".hy-cites a.hy-card")].flatMap((card) => {
      const number = /\d+/.exec(card.querySelector(".hy-n")?.textContent ?? "");
      const words = [".hy-title", ".hy-where"].map((part) => card.querySelector(part)?.textContent.trim()).filter(Boolean);
      return number ? [{ n: Number(number[0]), words: `[${number[0]}] ${words.join("　")}` }] : [];
    });
  }
  function askWhy(answer, button) {
    const evidence = button.value === "evidence";
    const dialog = make("dialog", "hy-tell");
    const form = make("form", "hy-box");
    form.method = "dialog";
    const title = make("h2", "", evidence ? "根拠が違う" : "どこが違いましたか");
    title.id = "hy-tell-title";
    dialog.setAttribute("aria-labelledby", title.id);
    form.append(title);
    if (evidence) {
      const group = make("fieldset");
      group.append(make("legend", "", "答えの根拠になっていない引用（選ばなくてもかまいません）"));
      const list = make("div", "hy-tell-list");
      for (const { n, words } of citationsOf(answer)) {
        const label = make("label");
        const box = make("input");
        Object.assign(box, { type: "checkbox", name: "citation", value: String(n) });
        label.append(box, make("span", "", words));
        list.append(label);
      }
      group.append(list);
      form.append(group);
    }
    const label = make("label", "hy-tell-label", evidence
      ? "どう違いますか（書かなくてもかまいません）" : "書かなくてもかまいません。評価はもう保存しています。");
    const text = make("textarea");
    Object.assign(text, { id: "hy-tell-text", maxLength: 1000, placeholder: "例: 令和4年度の額になっている" });
    label.htmlFor = text.id;
    const buttons = make("div", "hy-tell-buttons");
    const submit = make("button", "hy-button hy-send", "送る");
    const close = make("button", "hy-button", evidence ? "やめる" : "書かずに閉じる");
    submit.value = "send";
    Object.assign(close, { type: "button" });
    close.addEventListener("click", () => dialog.close());
    buttons.append(submit, close);
    form.append(label, text, buttons);
    dialog.append(form);
    dialog.addEventListener("close", () => {
      const comment = text.value.trim();
      const citations = [...dialog.querySelectorAll("input:checked")].map((box) => Number(box.value));
      const sent = dialog.returnValue === "send";
      dialog.remove();
      button.focus({ preventScroll: true });
      if (!sent || !answer.isConnected || (!evidence && !comment)) return;
      press(answer, button);
      send("hy-judge", { at: place(answer), value: button.value, citations, comment });
    });
    document.querySelector(".gradio-container").append(dialog);
    dialog.showModal();
    (evidence ? dialog.querySelector("input") ?? text : text).focus();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (!button) return;
    if (button.matches("#hy-chat .hy-again")) again(button);
    if (button.matches("#hy-chat .hy-judge")) judge(button);
    if (button.matches("#hy-chips .hy-filter")) send("hy-filter", { value: button.value });
  });
})();

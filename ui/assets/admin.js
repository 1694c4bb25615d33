// 管理: tables that sort themselves, and a question that is asked again or written up with one press.
(() => {
  "use strict";

  function sort(button) {
    const head = button.closest("th");
    const table = button.closest("table");
    const up = head.getAttribute("aria-sort") === "descending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = (row) => row.cells[head.cellIndex].dataset.sort ?? row.cells[head.cellIndex].textContent.trim();
    const compare = (a, b) => {
      const [x, y] = [value(a), value(b)];
      const numbers = Number(x) - Number(y);
      return Number.isNaN(numbers) ? x.localeCompare(y, "ja") : numbers;
    };
    const rows = [...table.tBodies[0].rows].sort((a, b) => (up ? compare(a, b) : compare(b, a)));
    table.tBodies[0].append(...rows);
  }

  // Gradio's boxes listen to the event, not to the value.
  function type(box, text) {
    const whose = box instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(whose.prototype, "value").set.call(box, text);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // A tab's inside is drawn when the tab is opened; a tab that never comes is waited for ten seconds.
  function whenThere(selector, act, until = performance.now() + 10_000) {
    const found = document.querySelector(selector);
    if (found && found.offsetParent) act(found);
    else if (performance.now() < until) requestAnimationFrame(() => whenThere(selector, act, until));
  }

  function askAgain(question) {
    [...document.querySelectorAll("#hy-tabs > .tab-wrapper [role='tab'], #hy-tabs [role='tab']")]
      .find((tab) => tab.textContent.trim() === "質問")?.click();
    whenThere("#hy-question textarea", (box) => {
      type(box, question);
      // After the box has taken the text over: the button sends what it holds.
      requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector("#hy-question .submit-button")?.click()));
    });
  }

  function writeUp(question) {
    const box = document.querySelector("#hy-wanted textarea, #hy-wanted input");
    if (box) type(box, question);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (!button) return;
    if (button.classList.contains("hy-sort")) sort(button);
    if (button.classList.contains("hy-ask")) askAgain(button.value);
    if (button.classList.contains("hy-make")) writeUp(button.value);
  });
})();

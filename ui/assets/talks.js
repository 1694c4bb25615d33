// The history of conversations: asking before something is deleted, and asking an old question again.
(() => {
  "use strict";

  // What cannot be undone is asked in a window of our own: the answer is true for 削除する. Esc and やめる mean no.
  let dialog = null;
  window.hyokaConfirm = (text) => {
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.className = "hy-confirm";
      dialog.setAttribute("aria-labelledby", "hy-confirm-text");
      dialog.innerHTML = '<form method="dialog" class="hy-box"><p id="hy-confirm-text"></p><div>'
        + '<button class="hy-button" value="" autofocus>やめる</button>'
        + '<button class="hy-button hy-danger" value="yes">削除する</button></div></form>';
      document.querySelector(".gradio-container").append(dialog);
    }
    dialog.querySelector("p").textContent = text;
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  };

  // もう一度質問する: the question above the answer goes through the box, as if it had been typed.
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button.hy-reask");
    if (!button) return;
    let asked = null;
    for (const one of document.querySelectorAll("#hy-chat .hy-question")) {
      if (one.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING) asked = one;
    }
    const box = document.querySelector("#hy-question textarea");
    if (!asked || !box) return;
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, asked.textContent);
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
    requestAnimationFrame(() => document.querySelector("#hy-question .submit-button")?.click());
  });
})();

// The list of sheets: opening a sheet beside it, and the sheets picked for a comparison. Nothing talks to another host.
(() => {
  "use strict";
  const page = document.documentElement;
  const KEY = "hy-compare", MOST = 6;

  // The list has the whole width until a sheet is opened beside it.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".hy-catalogue a[href*='/sheet/']");
    if (link && !(event.ctrlKey || event.metaKey || event.shiftKey || event.button)) page.classList.add("hy-sheet-open");
    if (event.target.closest?.(".hy-close-pane")) {
      page.classList.remove("hy-sheet-open");
      document.querySelector(".hy-catalogue a[aria-current]")?.focus();
    }
  }, true);

  // What is picked outlives the list, which is drawn anew with every letter typed.
  let picked = [];
  try { picked = JSON.parse(sessionStorage.getItem(KEY) ?? "[]").filter((id) => typeof id === "string").slice(0, MOST); } catch { picked = []; }
  function keep() {
    try { sessionStorage.setItem(KEY, JSON.stringify(picked)); } catch { /* a browser that keeps nothing: the list does */ }
    show();
  }
  function show() {
    for (const box of document.querySelectorAll(".hy-to-compare")) {
      const is = picked.includes(box.value);
      if (box.checked !== is) box.checked = is;
      const full = picked.length >= MOST && !is;
      if (box.disabled !== full) box.disabled = full;
    }
    const basket = document.querySelector(".hy-basket");
    if (!basket) return;
    const hidden = picked.length === 0;
    if (basket.hidden !== hidden) basket.hidden = hidden;
    const said = picked.length < 2 ? `比較に${picked.length}件を選びました。もう1件選んでください。`
      : picked.length < MOST ? `比較に${picked.length}件を選びました。` : `比較に${MOST}件を選びました（${MOST}件までです）。`;
    const status = basket.querySelector("[role='status']");
    if (status.textContent !== said) status.textContent = said;
    const way = basket.querySelector("a");
    const address = "compare?" + picked.map((id) => "sheet=" + encodeURIComponent(id)).join("&");
    if (way.getAttribute("href") !== address) way.setAttribute("href", address);
  }
  document.addEventListener("change", (event) => {
    const box = event.target.closest?.(".hy-to-compare");
    if (!box) return;
    picked = picked.filter((id) => id !== box.value);
    if (box.checked && picked.length < MOST) picked.push(box.value);
    keep();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.(".hy-basket button")) return;
    picked = [];
    keep();
  });
  let waiting = false;
  new MutationObserver(() => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; show(); });
  }).observe(page, { childList: true, subtree: true });
})();

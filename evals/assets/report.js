(() => {
  const kind = document.getElementById("type");
  if (!kind) return;
  const cause = document.getElementById("cause");
  const words = document.getElementById("words");
  const shown = document.getElementById("shown");
  const rows = [...document.querySelectorAll(".failure")].map((row) => ({
    row,
    type: row.dataset.type,
    causes: row.dataset.causes.split(" "),
    text: row.textContent.normalize("NFKC").toLowerCase(),
  }));
  const filter = () => {
    const wanted = words.value.normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { row, type, causes, text } of rows) {
      const fits =
        (!kind.value || type === kind.value) &&
        (!cause.value || causes.includes(cause.value)) &&
        wanted.every((word) => text.includes(word));
      row.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} 件`;
  };
  for (const control of [kind, cause, words]) control.addEventListener("input", filter);
  kind.form.addEventListener("submit", (event) => event.preventDefault());
  // A link from the list of changes opens its failure, even one that a filter hides.
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    target.hidden = false;
    target.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  filter();
  open();
})();

"use strict";
(() => {
  const trials = Array.from(document.querySelectorAll("details.trial"));
  const box = document.getElementById("filter");
  const fields = Array.from(box.querySelectorAll("select"));
  const id = document.getElementById("filter-id");
  const count = document.getElementById("filter-count");

  const apply = () => {
    const prefix = id.value.trim().toLowerCase();
    let shown = 0;
    for (const trial of trials) {
      const fits = trial.dataset.id.startsWith(prefix)
        && fields.every((field) => field.value === "" || trial.dataset[field.name] === field.value);
      trial.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    count.textContent = `${shown} of ${trials.length} shown`;
  };

  const clear = () => {
    for (const field of fields) field.value = "";
    id.value = "";
    apply();
  };

  const follow = () => {
    let name = "";
    try { name = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const place = document.getElementById(name);
    const trial = place && place.closest("details.trial");
    if (!trial) return;
    if (trial.hidden) clear();
    trial.open = true;
    place.scrollIntoView();
  };

  for (const field of fields) field.addEventListener("change", apply);
  id.addEventListener("input", apply);
  document.getElementById("filter-clear").addEventListener("click", clear);
  for (const link of document.querySelectorAll("a[data-show-cell]")) {
    link.addEventListener("click", () => {
      clear();
      box.querySelector("select[name=cell]").value = link.dataset.showCell;
      apply();
    });
  }
  window.addEventListener("hashchange", follow);
  box.hidden = false;
  clear();
  follow();
})();

"use strict";
(() => {
  const MOST = 100;
  const { pages, repeat, personas, trials } = JSON.parse(document.getElementById("trials").textContent);
  const box = document.getElementById("filter");
  const fields = Array.from(box.querySelectorAll("select"));
  const id = document.getElementById("filter-id");
  const count = document.getElementById("filter-count");
  const finds = document.getElementById("finds");
  const names = new Map(Array.from(box.querySelectorAll("select[name=cell] option"), (o) => [o.value, o.textContent]));
  const value = {
    cell: (trial) => String(trial[2]),
    persona: (trial) => personas[trial[3]],
    role: (trial) => trial[4],
    seed: (trial) => String(trial[5]),
    status: (trial) => trial[6],
  };

  const row = (trial) => {
    const line = document.createElement("tr");
    const link = document.createElement("a");
    link.href = `${pages[trial[1]]}#trial-${trial[0]}`;
    link.textContent = trial[0];
    const belief = trial[8] === null ? "\u2013" : `${trial[8]}%`;
    const words = [names.get(String(trial[2])) ?? "", `${personas[trial[3]]}, ${trial[4]}`, `${repeat} ${trial[5]}`,
      trial[7], belief, trial[6]];
    for (const content of [link, ...words]) {
      const cell = document.createElement("td");
      cell.append(content);
      line.append(cell);
    }
    return line;
  };

  const apply = () => {
    const prefix = id.value.trim().toLowerCase();
    const chosen = fields.filter((field) => field.value !== "");
    const found = trials.filter((trial) => trial[0].startsWith(prefix)
      && chosen.every((field) => value[field.name](trial) === field.value));
    finds.replaceChildren(...found.slice(0, MOST).map(row));
    const first = found.length > MOST ? `, the first ${MOST} listed` : "";
    const said = (number) => number.toLocaleString("en");
    count.textContent = `${said(found.length)} of ${said(trials.length)} found${first}`;
  };

  const clear = () => {
    for (const field of fields) field.value = "";
    id.value = "";
    apply();
  };

  const follow = () => {
    let name = "";
    try { name = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const trial = name.startsWith("trial-")
      && trials.find(([known]) => name === `trial-${known}` || name.startsWith(`trial-${known}-turn-`));
    if (trial) location.replace(`${pages[trial[1]]}#${name}`);
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
  document.getElementById("finds-box").hidden = false;
  clear();
  follow();
})();

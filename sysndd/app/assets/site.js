// Every page works without this script. With it, suggestions appear while you type, lists change
// without loading the whole page, and copying takes one click.

const after = (milliseconds, run) => {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...values), milliseconds);
  };
};

/* Suggestions: a combobox with a list below it (ARIA 1.2). */
const suggest = (input) => {
  const list = document.createElement("ul");
  list.className = "suggestions";
  list.id = `${input.id}-suggestions`;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  list.hidden = true;
  const said = document.createElement("span");
  said.className = "visually-hidden";
  said.setAttribute("role", "status");
  input.after(list, said);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");

  let chosen = -1;
  let asked = null;

  const close = () => {
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (index) => {
    const options = [...list.children];
    if (options.length === 0) return;
    chosen = (index + options.length) % options.length;
    options.forEach((option, position) => option.setAttribute("aria-selected", String(position === chosen)));
    input.setAttribute("aria-activedescendant", options[chosen].id);
    options[chosen].scrollIntoView({ block: "nearest" });
  };
  const show = (found) => {
    list.replaceChildren(
      ...found.slice(0, 12).map(({ text, kind, address }, position) => {
        const option = document.createElement("li");
        option.id = `${list.id}-${position}`;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", "false");
        option.dataset.address = address;
        const name = document.createElement("span");
        name.textContent = text;
        const note = document.createElement("small");
        note.textContent = kind;
        option.append(name, note);
        return option;
      }),
    );
    chosen = -1;
    const open = found.length > 0;
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    input.removeAttribute("aria-activedescendant");
    said.textContent = open ? `${Math.min(found.length, 12)} suggestions` : "No suggestions";
  };
  const ask = after(200, async (term) => {
    asked?.abort();
    if (term.length < 2) return close();
    asked = new AbortController();
    const { signal } = asked;
    try {
      const answer = await fetch(`/suggestions?term=${encodeURIComponent(term)}`, { signal });
      const found = answer.ok ? await answer.json() : [];
      if (!signal.aborted && document.activeElement === input) show(found);
    } catch {
      if (!signal.aborted) close();
    }
  });

  input.addEventListener("input", () => ask(input.value.trim()));
  input.addEventListener("blur", () => setTimeout(close, 150));
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && !list.hidden) choose(chosen + 1);
    else if (event.key === "ArrowUp" && !list.hidden) choose(chosen < 0 ? -1 : chosen - 1);
    else if (event.key === "Escape" && !list.hidden) close();
    else if (event.key === "Enter" && chosen >= 0) location.assign(list.children[chosen].dataset.address);
    else return;
    event.preventDefault();
  });
  list.addEventListener("mousedown", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) location.assign(option.dataset.address);
  });
};

/* Lists: the same addresses as without the script; only the table is put in place of the old one. */
const follow = (section) => {
  const form = section.querySelector("form");
  let asked = null;

  const put = (page) => {
    for (const id of ["list-state", "list-heads", "list-end"]) {
      const fresh = page.getElementById(id);
      const old = document.getElementById(id);
      if (fresh && old) {
        const status = old.querySelector("[role=status]");
        const text = fresh.querySelector("[role=status]");
        // A live region speaks when its text changes, not when it is replaced.
        if (status && text) {
          status.textContent = text.textContent;
          text.replaceWith(status);
        }
        old.replaceChildren(...fresh.childNodes);
      }
    }
    const table = section.querySelector("table");
    table.querySelectorAll("tbody").forEach((row) => row.remove());
    table.append(...page.querySelectorAll("table.list > tbody"));
    for (const actions of page.querySelectorAll("[data-follows-list]")) {
      document.getElementById(actions.id)?.replaceChildren(...actions.childNodes);
    }
    reveal(document);
  };
  const load = async (address, remember) => {
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    const table = section.querySelector("table");
    table.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { signal, headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (signal.aborted) return;
      const heads = page.getElementById("list-heads");
      // A table with other columns has other fields too.
      if (!answer.ok || heads?.cells.length !== table.rows[0].cells.length) return location.assign(answer.url);
      put(page);
      if (remember) history.pushState({}, "", answer.url);
    } catch {
      if (!signal.aborted) location.assign(address);
    } finally {
      if (!signal.aborted) table.removeAttribute("aria-busy");
    }
  };
  const submit = () => {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value !== "") query.append(name, value);
    // An empty column filter is still a filter that was taken away.
    query.append("apply", "1");
    load(`${form.getAttribute("action")}?${query}`, true);
  };
  const soon = after(300, submit);

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  section.addEventListener("input", (event) => {
    if (event.target.form === form && event.target.matches("input[type=text], input[type=search]")) soon();
  });
  section.addEventListener("change", (event) => {
    if (event.target.form === form && event.target.name && event.target.matches("select, input[type=checkbox]")) soon();
  });
  section.addEventListener("click", (event) => {
    const link = event.target.closest("#list-heads a, .pager a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const place = link.closest("th")?.cellIndex;
    const step = link.dataset.step;
    load(link.href, true).then(() => {
      // The focus stays where it was, on the fresh link.
      const fresh = step ? section.querySelector(`.pager [data-step=${step}]`) : null;
      (fresh ?? (place === undefined ? null : document.querySelectorAll("#list-heads th")[place]?.querySelector("a")))?.focus();
    });
  });
  window.addEventListener("popstate", () => location.reload());
};

/* What only makes sense with the script is shown by it. */
const reveal = (root) => {
  root.querySelectorAll("[data-copy]").forEach((button) => {
    button.hidden = false;
  });
};
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  for (const open of document.querySelectorAll("details.choices[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
  if (!button) return;
  const text = button.dataset.copy || location.href;
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Copying is not allowed here";
  }
  setTimeout(() => {
    button.textContent = label;
  }, 1500);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.activeElement?.closest("details.choices[open]");
  if (open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

document.querySelectorAll("[data-suggest]").forEach(suggest);
document.querySelectorAll("[data-list]").forEach(follow);
// A form that says "on change" needs no button with the script.
document.querySelectorAll("form[data-on-change]").forEach((form) => {
  form.addEventListener("change", () => form.requestSubmit());
});
reveal(document);

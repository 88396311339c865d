"use strict";
// The engine's own behaviour in the admin: tabs, panels that load when opened, tags that can be made up, row counts.

// The Content Security Policy allows no style attributes in markup. Scripts that set one, as Alpine.js does for the bar of
// actions below a list, set the same properties by the object model instead, which it allows.
const crmSetAttribute = Element.prototype.setAttribute;
Element.prototype.setAttribute = function (name, value) {
  if (String(name).toLowerCase() === "style" && this.style) this.style.cssText = value;
  else crmSetAttribute.call(this, name, value);
};
htmx.config.includeIndicatorStyles = false;  // It would write them into the page; no page of ours shows an indicator.

function crmTabs(name, ids, withErrors) {
  const key = "crm-tab:" + name;
  const isNew = window.location.pathname.endsWith("/add/");
  const kept = isNew ? null : sessionStorage.getItem(key);
  return {
    open: withErrors || (ids.includes(kept) ? kept : ids[0]),
    show(id) {
      this.open = id;
      sessionStorage.setItem(key, id);
    },
    step(by) {
      this.show(ids[(ids.indexOf(this.open) + by + ids.length) % ids.length]);
      document.getElementById("tab-" + this.open).focus();
    },
    load(element) {
      if (element.dataset.loaded) return;
      element.dataset.loaded = "1";
      fetch(element.dataset.panel, { headers: { "X-Requested-With": "fetch" } })
        .then((response) => {
          if (response.redirected) window.location.reload();  // Signed out meanwhile: the page itself asks to sign in.
          return response.ok && !response.redirected ? response.text() : Promise.reject(response.status);
        })
        .then((html) => { element.innerHTML = html; })
        .catch(() => {
          delete element.dataset.loaded;
          element.innerHTML = "<p class='py-8 text-center'>This could not be loaded. Open the tab again to retry.</p>";
        });
    },
  };
}

// Rows whose number a field of the form gives: as many blocks as it says; filled ones are never taken away.
function crmFollowRowCount(group) {
  const counter = document.getElementById(group.dataset.rowsOf);
  if (!counter) return;
  const shown = () => group.querySelectorAll(".form-group:not(.empty-form)").length;
  counter.addEventListener("change", () => {
    const wanted = Math.min(parseInt(counter.value, 10) || 0, 40);
    for (let left = wanted - shown(); left > 0; left -= 1) {
      const add = group.querySelector("a.add-row");
      if (!add) return;
      add.click();
    }
  });
}

// Computed values and conditional fields follow what is typed; the server works them out, nothing is saved.
function crmFollowForm(state) {
  const form = state.closest("form");
  const url = document.getElementById("crm-live-url").dataset.url;
  const places = (name) => form.querySelectorAll(`.crm-section .field-${name}`);
  const apply = (found) => {
    for (const name of found.conditional) {
      places(name).forEach((place) => {
        place.hidden = found.hidden.includes(name);
        const label = place.querySelector("label");
        if (label) label.classList.toggle("crm-required", found.required.includes(name));
      });
    }
    for (const [name, text] of Object.entries(found.values)) {
      form.querySelectorAll(`.crm-section [data-shown="${name}"]`).forEach((place) => {
        if (place.textContent.trim() !== text) place.textContent = text || "–";
      });
    }
  };
  apply(JSON.parse(state.textContent));
  let timer = null;
  let asked = 0;
  const ask = () => {
    const data = new FormData(form);
    for (const [key, value] of [...data]) if (value instanceof File) data.delete(key);
    const mine = (asked += 1);
    fetch(url, { method: "POST", body: data, headers: { "X-Requested-With": "fetch" } })
      .then((response) => (response.ok ? response.json() : Promise.reject(response.status)))
      .then((found) => { if (mine === asked) apply(found); })
      .catch(() => {});
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(ask, 250); };
  form.addEventListener("input", later);
  django.jQuery(form).on("change", later);
}

// The panel of filters takes the focus when it opens, and gives it back when it closes. The key that opened it is let go
// within it, where select2 would take that for typing and open its list.
function crmFocusFilters(open, button) {
  const inputs = "input:not([type=hidden]), select:not(.select2-hidden-accessible), .select2-selection--single, a[href]";
  const first = document.querySelector(`#changelist-filter :is(${inputs})`);
  const letGo = (event) => ["Enter", " "].includes(event.key) && event.stopPropagation();
  if (open) window.addEventListener("keyup", letGo, { capture: true, once: true });
  setTimeout(() => (open ? first : button).focus());
}

// Tags that can be made up by typing. The hidden row that new rows are copied from stays as the server sent it: a copy of a
// picker does nothing, and the policy refuses its styles.
function crmMakePickers(selects) {
  selects.not("[name*=__prefix__]").each((_, element) => {
    const select = django.jQuery(element);
    if (select.data("select2")) select.select2("destroy");
    select.select2({ tags: true, tokenSeparators: [",", ";"] });
  });
}

// A picker of select2 says its label, which select2 itself leaves out, and its value.
function crmNamePickers(selects) {
  selects.filter(".select2-hidden-accessible").each((_, select) => {
    const { selection, dropdown } = django.jQuery(select).data("select2");
    const label = select.labels[0] ? select.labels[0].textContent.trim().replace(/\*$/, "") : "";
    const name = select.getAttribute("aria-label") || label;
    selection.$selection.attr("aria-label", name).removeAttr("aria-labelledby");
    selection.$selection.find("[role=textbox]").removeAttr("role aria-readonly");
    [selection.$search, dropdown.$search].forEach((search) => search && search.attr("aria-label", name));
  });
}

// The menu beside a picker opens by the keyboard too; Unfold makes its button of a div.
function crmOpenMenus(within) {
  within.querySelectorAll("[x-ref^=relatedWidgetWrapper]").forEach((button) => {
    Object.assign(button, { tabIndex: 0, role: "button", ariaHasPopup: "menu", ariaLabel: "Add, change or see" });
    button.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      button.click();
      const name = button.getAttribute("x-ref").replace("relatedWidgetWrapper", "");
      const menu = document.getElementById("related-widget-wrapper-" + name);
      menu.onkeydown = (pressed) => { if (pressed.key === "Escape") button.focus(); };
      setTimeout(() => menu.querySelector("a[href]").focus(), 50);
    });
  });
}

// A form is sent once: the second click of a double click would save, pay or refund again.
function crmSendOnce() {
  const sent = new Set();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (sent.has(form)) event.preventDefault();
    sent.add(form);
    setTimeout(() => sent.delete(form), 5000);  // A download leaves the page as it is, and may be asked for again.
  });
  window.addEventListener("pageshow", () => sent.clear());
}

// Whoever leaves a record's form with something typed into it is asked; saving it is no leaving.
function crmAskBeforeLeaving(form) {
  let changed = false;
  const change = () => { changed = true; };
  form.addEventListener("input", change);
  django.jQuery(form).on("select2:select select2:unselect formset:removed", change);
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
}

// The short form that opens over any page: a frame with the add page, which tells when it has saved.
function crmQuick(adds) {
  const dialog = document.getElementById("crm-quick");
  const frame = dialog.querySelector("iframe");
  const status = document.getElementById("crm-quick-status");
  const open = (add) => {
    const here = window.location.pathname.match(/\/([a-z0-9_]+)\/(\d+)\/change\/$/);
    const link = here && add.links[here[1]];
    frame.title = "Add " + add.label.toLowerCase();
    frame.src = add.url + "?_popup=1&_quick=1" + (link ? "&" + link + "=" + here[2] : "");
    dialog.showModal();
  };
  document.querySelectorAll("[data-quick]").forEach((button) => {
    button.addEventListener("click", () => open(adds[Number(button.dataset.quick)]));
  });
  document.addEventListener("keydown", (event) => {
    if (event.altKey && !event.ctrlKey && event.key.toLowerCase() === "n") {
      event.preventDefault();
      open(adds[0]);
    }
  });
  dialog.querySelector("button").addEventListener("click", () => dialog.close());
  window.addEventListener("message", (event) => {
    if (event.origin !== window.location.origin || !event.data || !event.data.crmQuick) return;
    dialog.close();
    frame.src = "about:blank";
    status.textContent = "Saved: " + event.data.crmQuick;
    setTimeout(() => { status.textContent = ""; }, 6000);
  });
}

document.addEventListener("DOMContentLoaded", () => {
  const adds = document.getElementById("crm-quick-adds");
  if (adds) crmQuick(JSON.parse(adds.textContent));
  crmSendOnce();
  const form = document.querySelector(".crm-tabs")?.closest("form");
  if (form) crmAskBeforeLeaving(form);
  const live = document.getElementById("crm-live");
  if (live) crmFollowForm(live);
  document.querySelectorAll("[data-rows-of]").forEach(crmFollowRowCount);
  crmOpenMenus(document);
  document.addEventListener("formset:added", (event) => crmOpenMenus(event.target));
  const $ = window.django && django.jQuery;
  if ($ && $.fn.select2) {
    crmMakePickers($("select[data-tags]"));
    $(() => crmNamePickers($("select")));  // After Django and Unfold have made theirs.
    document.addEventListener("formset:added", (event) => {
      const selects = $(event.target).find("select");
      selects.filter(".unfold-admin-autocomplete:not([data-tags])").djangoCustomSelect2();
      crmMakePickers(selects.filter("[data-tags]"));
      crmNamePickers(selects);
    });
  }
});

"use strict";
// The short form has saved: the page that opened it is told the title of the new record.
const title = JSON.parse(document.getElementById("crm-title").textContent);
parent.postMessage({ crmQuick: title }, window.location.origin);

// Questions before what cannot be undone. Without scripts the server asks on a page of its own.
export function startConfirm() {
  const dialog = document.getElementById("confirm");
  document.addEventListener("submit", (event) => {
    const form = event.target, question = form.dataset?.confirm;
    if (!question || form.elements.confirmed) return;
    event.preventDefault();
    document.getElementById("confirm-words").textContent = question;
    dialog.returnValue = "";
    dialog.addEventListener("close", () => dialog.returnValue === "yes" && send(form), { once: true });
    dialog.showModal();
  });
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
}

function send(form) {
  const mark = Object.assign(document.createElement("input"), { type: "hidden", name: "confirmed", value: "1" });
  form.append(mark);
  // Its part of the page may have been renewed while the question was open.
  if (!form.isConnected) { form.hidden = true; document.body.append(form); }
  form.requestSubmit();
}

// A secret that is shown once can be copied with one press, where the browser lets pages do that.
export function startCopy() {
  if (!navigator.clipboard) return;
  document.querySelectorAll("[data-copy-from]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copyFrom).textContent);
      button.querySelector("span").textContent = button.dataset.done;
    });
  });
}

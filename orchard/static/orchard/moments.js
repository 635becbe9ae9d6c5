// Fields for moments: they show the viewer's time; the address holds UTC, so that it means the same to everybody.
export function startMoments() {
  for (const form of document.querySelectorAll("[data-moments]")) startForm(form);
}

function startForm(form) {
  const fields = [...form.querySelectorAll('[type="datetime-local"]')];
  const names = new Set(fields.map((field) => field.name));
  for (const mark of form.querySelectorAll("[data-zone]")) mark.remove();
  for (const field of fields) {
    if (!field.value) continue;
    const at = new Date(`${field.value}Z`);
    field.value = new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  }
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) {
      if (!value) formData.delete(name);
      else if (names.has(name)) formData.set(name, new Date(value).toISOString());
    }
  });
}

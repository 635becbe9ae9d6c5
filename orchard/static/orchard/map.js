// Chunk maps: one cell a chunk, drawn as seven paths however many there are.
// orchard/web/chunk_map.py draws the first picture; here it gets its real width and its changes.
const SIZES = { small: { least: 6, oneRow: 16, rows: 9 }, large: { least: 18, oneRow: 26, rows: 18 } };
const KINDS = ["w", "r", "p", "c", "f", "x"];
const maps = new WeakMap();
const watcher = new ResizeObserver((entries) => entries.forEach((entry) => mapOf(entry.target).draw()));

export const mapOf = (svg) => maps.get(svg) ?? new ChunkMap(svg);
export function adoptMaps(root) {
  for (const svg of root.querySelectorAll?.("[data-map]") ?? []) if (!maps.has(svg)) new ChunkMap(svg);
}

export class ChunkMap {
  constructor(svg) {
    maps.set(svg, this);
    this.svg = svg;
    this.cells = [...svg.dataset.cells];
    this.shares = new Map(Object.entries(JSON.parse(svg.dataset.shares || "{}")).map(([i, share]) => [Number(i), share]));
    this.paths = Object.fromEntries(KINDS.map((kind) => [kind, svg.querySelector(`.${kind}`)]));
    watcher.observe(svg);
  }

  has(index) { return index < this.cells.length; }

  set(index, letter, share = 0) {
    this.cells[index] = letter;
    letter === "r" ? this.shares.set(index, share) : this.shares.delete(index);
    this.drawSoon();
  }

  progress(index, share) {
    if (this.cells[index] === "r") { this.shares.set(index, share); this.drawSoon(); }
  }

  count(letter) { return this.cells.reduce((sum, cell) => sum + (cell === letter), 0); }

  get percent() {
    const done = this.count("c") + [...this.shares.values()].reduce((sum, share) => sum + share, 0);
    return Math.floor((100 * done) / this.cells.length);
  }

  drawSoon() {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.draw());
  }

  layOut() {
    const size = SIZES[this.svg.dataset.map], width = this.svg.clientWidth || this.svg.getBoundingClientRect().width;
    const rows = Math.max(1, Math.ceil((this.cells.length * size.least) / width));
    const columns = Math.max(1, Math.ceil(this.cells.length / rows));
    return { width, rows, columns, pitch: width / columns, rowHeight: rows === 1 ? size.oneRow : size.rows };
  }

  draw() {
    this.frame = 0;
    const grid = this.layOut();
    if (!grid.width) return;
    const parts = Object.fromEntries(KINDS.map((kind) => [kind, []]));
    this.cells.forEach((cell, index) => this.drawCell(parts, grid, cell, index));
    this.svg.setAttribute("height", grid.rows * grid.rowHeight);
    this.svg.setAttribute("viewBox", `0 0 ${grid.width} ${grid.rows * grid.rowHeight}`);
    for (const kind of KINDS) this.paths[kind].setAttribute("d", parts[kind].join(""));
    this.svg.dataset.cells = this.cells.join("");
    this.grid = grid;
  }

  drawCell(parts, grid, cell, index) {
    const { x, y, w, h } = this.box(grid, index);
    // A chunk that waits is a seed: small, and it fills its cell only when it is done.
    const inset = cell === "w" ? Math.min(w, h) / 4 : 0;
    parts[cell].push(`M${x + inset} ${y + inset}h${w - 2 * inset}v${h - 2 * inset}h${2 * inset - w}z`);
    if (cell === "r") parts.p.push(`M${x} ${y}h${w * (this.shares.get(index) ?? 0)}v${h}H${x}z`);
    if (cell === "f") parts.x.push(`M${x} ${y}l${w} ${h}m0-${h}l-${w} ${h}`);
  }

  box(grid, index) {
    const gap = grid.pitch > 5 ? 2 : 1;
    const x = (index % grid.columns) * grid.pitch + gap / 2;
    const y = Math.floor(index / grid.columns) * grid.rowHeight + gap / 2;
    return { x, y, w: grid.pitch - gap, h: grid.rowHeight - gap };
  }

  at(clientX, clientY) {
    const box = this.svg.getBoundingClientRect(), grid = this.grid ?? this.layOut();
    const column = Math.floor((clientX - box.left) / grid.pitch), row = Math.floor((clientY - box.top) / grid.rowHeight);
    const index = row * grid.columns + column;
    return column >= 0 && column < grid.columns && row >= 0 && this.has(index) ? index : -1;
  }
}

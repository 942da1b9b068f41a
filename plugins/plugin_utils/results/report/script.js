"use strict";
// Axes, zoom and readings of the charts. All of them show the same time; lines are SVG paths of whole numbers.
(() => {
  const time = JSON.parse(document.getElementById("time").textContent);
  const readout = document.getElementById("readout");
  const tools = document.querySelector(".tools");
  const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200];
  const DAY = 86400;
  const MOST_READ = 10;
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const clock = x => new Date(time.start + x / time.second * 1000).toISOString().slice(11, 19);
  const short = value => Math.abs(value) >= 1e6 || (value && Math.abs(value) < 1e-3)
    ? value.toExponential(1) : String(Number(value.toPrecision(4)));
  let view = {from: 0, to: time.width};

  // The points of a path, unbroken part by unbroken part, in units.
  const parsed = new WeakMap();
  function parts(path) {
    if (!parsed.has(path))
      parsed.set(path, path.getAttribute("d").split("M").slice(1).map(text => {
        const numbers = text.match(/-?\d+/g).map(Number);
        const points = [[numbers[0], numbers[1]]];
        for (let i = 2; i < numbers.length; i += 2) {
          const [x, y] = points[points.length - 1];
          points.push([x + numbers[i], y + numbers[i + 1]]);
        }
        return points;
      }));
    return parsed.get(path);
  }
  // The y at x of a line that goes to the right; null where it is broken.
  function at(points, x) {
    const slack = time.second;
    if (x < points[0][0] - slack || x > points[points.length - 1][0] + slack) return null;
    let low = 0, high = points.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (points[middle][0] <= x) low = middle; else high = middle;
    }
    return points[x - points[low][0] <= points[high][0] - x ? low : high][1];
  }
  const reading = (path, x, side = whole => whole) => {
    for (const points of parts(path)) {
      const y = at(side(points), x);
      if (y !== null) return y;
    }
    return null;
  };
  // An area goes forth along the lowest values and back along the highest.
  const lowest = points => points.slice(0, points.length / 2);
  const highest = points => points.slice(points.length / 2).reverse();

  class Chart {
    constructor(figure) {
      this.figure = figure;
      this.svg = figure.querySelector(".lines");
      this.cursor = figure.querySelector(".cursor");
      this.labels = figure.querySelector(".labels");
      this.low = Number(figure.dataset.low);
      this.high = Number(figure.dataset.high);
      this.unit = figure.dataset.unit;
      this.stale = true;
    }
    value(y) { return this.high - y / time.height * (this.high - this.low); }
    y(value) { return (this.high - value) / (this.high - this.low) * time.height; }
    shown() { return this.svg.querySelectorAll(".folded > .band:not(.off) > path, .group:not(.folded) > .singles > path:not(.off)"); }
    // Top and bottom of what is seen, in units: all of it, or what the shown time needs.
    extent() {
      if (view.from === 0 && view.to === time.width) return [0, time.height];
      let top = Infinity, bottom = this.y(Math.max(0, this.low));
      for (const path of this.shown())
        for (const points of parts(path))
          for (const [x, y] of points)
            if (x >= view.from && x <= view.to) { top = Math.min(top, y); bottom = Math.max(bottom, y); }
      return top < bottom ? [top - (bottom - top) * 0.06, bottom] : [0, time.height];
    }
    draw() {
      this.stale = false;
      const [top, bottom] = this.extent(), width = view.to - view.from;
      this.svg.setAttribute("viewBox", `${view.from} ${top} ${width} ${bottom - top}`);
      this.labels.replaceChildren();
      let grid = "";
      const high = this.value(top), low = this.value(bottom);
      const rough = (high - low) / 4, ten = 10 ** Math.floor(Math.log10(rough));
      const step = [1, 2, 5, 10].map(n => n * ten).find(n => n >= rough);
      for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
        const y = this.y(value);
        grid += `M${view.from} ${y}h${width}`;
        this.label("value", short(value), {top: `${(y - top) / (bottom - top) * 100}%`});
      }
      const every = (SECONDS.find(n => n * time.second * 4.5 >= width) || Math.ceil(width / time.second / 4.5 / DAY) * DAY) * time.second;
      const offset = time.start / 1000 * time.second;
      for (let x = Math.ceil((view.from + offset) / every) * every - offset; x <= view.to; x += every) {
        grid += `M${x} ${top}v${bottom - top}`;
        this.label("moment", clock(x), {left: `${(x - view.from) / width * 100}%`});
      }
      this.svg.querySelector(".grid").setAttribute("d", grid);
      for (const window of time.windows) {
        const from = Math.max(view.from, window.from), to = Math.min(view.to, window.to);
        const name = window.phase === "warmup" ? "warm-up" : window.phase;
        if (to > from) this.label("phase", window.valid ? name : `${name}, invalid`,
          {left: `${(from - view.from) / width * 100}%`, width: `${(to - from) / width * 100}%`});
      }
    }
    label(kind, text, style) {
      const span = document.createElement("span");
      span.className = kind;
      span.textContent = text;
      Object.assign(span.style, style);
      this.labels.append(span);
    }
    // What lines say at x: those nearest to y first, where the pointer is at one.
    readings(x, y) {
      const found = [];
      const say = path => short(this.value(path));
      for (const group of this.svg.querySelectorAll(".group")) {
        const area = group.querySelector(".band:not(.off) > .area");
        if (area && group.classList.contains("folded")) {
          const [low, high] = [reading(area, x, lowest), reading(area, x, highest)];
          const median = reading(area.nextElementSibling, x);
          if (median !== null && low !== null && high !== null)
            found.push([median, `${area.parentNode.dataset.name}: median ${say(median)}, ${say(low)} to ${say(high)}`]);
        }
        if (!group.classList.contains("folded"))
          for (const path of group.querySelectorAll(".singles > path:not(.off)")) {
            const told = reading(path, x);
            if (told !== null) found.push([told, `${path.dataset.name}: ${say(told)}`]);
          }
      }
      found.sort((a, b) => y === undefined ? a[0] - b[0] : Math.abs(a[0] - y) - Math.abs(b[0] - y));
      const rest = found.length - MOST_READ;
      return [...found.slice(0, MOST_READ).map(([, text]) => text), ...(rest > 0 ? [`and ${rest} more`] : [])];
    }
  }

  const charts = [...document.querySelectorAll(".chart")].map(figure => new Chart(figure));
  const of = new Map(charts.map(chart => [chart.figure, chart]));
  const near = new Set();
  const watcher = new IntersectionObserver(entries => {
    for (const entry of entries) {
      const chart = of.get(entry.target);
      if (!entry.isIntersecting) { near.delete(chart); continue; }
      near.add(chart);
      if (chart.stale) chart.draw();
    }
  }, {rootMargin: "600px"});

  // Charts that nobody sees are drawn when they come near.
  function redraw(list = charts) {
    for (const chart of list) { chart.stale = true; if (near.has(chart)) chart.draw(); }
  }
  function show(from, to) {
    const least = 2 * time.second;
    view = {from: Math.round(clamp(from, 0, Math.max(0, time.width - least))), to: Math.round(Math.min(to, time.width))};
    if (view.to - view.from < least) view.to = view.from + least;
    const measured = measure();
    for (const button of tools.querySelectorAll("[data-range]")) {
      const [a, b] = button.dataset.range === "measure" ? measured : [0, time.width];
      button.setAttribute("aria-pressed", String(view.from === a && view.to === b));
    }
    redraw();
  }
  function measure() {
    const windows = time.windows.filter(window => window.phase === "measure");
    if (!windows.length) return [0, time.width];
    return [Math.max(0, Math.min(...windows.map(w => w.from))), Math.min(time.width, Math.max(...windows.map(w => w.to)))];
  }
  function point(chart, x, y, left, top) {
    const share = `${(x - view.from) / (view.to - view.from) * 100}%`;
    for (const other of near) {
      other.cursor.style.setProperty("--at", share);
      other.cursor.style.setProperty("--seen", "visible");
    }
    const lines = [`${clock(x)} UTC${chart.unit ? ` · ${chart.unit}` : ""}`, ...chart.readings(x, y)];
    chart.cursor.setAttribute("aria-valuenow", String(Math.round(x)));
    chart.cursor.setAttribute("aria-valuetext", lines.join("; "));
    readout.textContent = lines.join("\n");
    readout.hidden = false;
    const {width, height} = readout.getBoundingClientRect();
    readout.style.left = `${clamp(left + 14 + width > innerWidth ? left - width - 14 : left + 14, 4, Math.max(4, innerWidth - width - 4))}px`;
    readout.style.top = `${clamp(top - height / 2, 4, innerHeight - height - 4)}px`;
  }
  function leave() {
    readout.hidden = true;
    for (const chart of charts) chart.cursor.style.setProperty("--seen", "hidden");
  }

  for (const chart of charts) {
    const {cursor} = chart;
    let begun = null;
    const place = event => {
      const box = cursor.getBoundingClientRect();
      const share = clamp((event.clientX - box.left) / box.width, 0, 1);
      const [top, height] = chart.svg.getAttribute("viewBox").split(" ").filter((_, i) => i % 2).map(Number);
      return {share, x: view.from + share * (view.to - view.from), y: top + (event.clientY - box.top) / box.height * height};
    };
    cursor.addEventListener("pointermove", event => {
      const here = place(event);
      point(chart, here.x, here.y, event.clientX, event.clientY);
      if (begun === null) return;
      cursor.style.setProperty("--from", `${Math.min(begun.share, here.share) * 100}%`);
      cursor.style.setProperty("--wide", `${Math.abs(begun.share - here.share) * 100}%`);
    });
    cursor.addEventListener("pointerdown", event => {
      if (event.button) return;
      begun = place(event);
      if (event.pointerType === "mouse") cursor.setPointerCapture(event.pointerId);
    });
    const end = event => {
      if (begun === null) return;
      const here = place(event), from = begun;
      begun = null;
      cursor.style.setProperty("--wide", "0");
      if (event.type === "pointerup" && Math.abs(here.share - from.share) > 0.02) show(Math.min(from.x, here.x), Math.max(from.x, here.x));
    };
    cursor.addEventListener("pointerup", end);
    cursor.addEventListener("pointercancel", end);
    cursor.addEventListener("pointerleave", leave);
    cursor.addEventListener("blur", leave);
    cursor.addEventListener("dblclick", () => show(0, time.width));
    cursor.addEventListener("keydown", event => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const width = view.to - view.from;
      let x = Number(cursor.getAttribute("aria-valuenow"));
      if (x < view.from || x > view.to) x = view.from;
      const zoom = factor => { const from = x - (x - view.from) * factor; show(from, Math.max(from, 0) + width * factor); };
      const moves = {ArrowLeft: -width / 100, ArrowRight: width / 100, PageDown: -width / 10, PageUp: width / 10};
      if (event.key in moves) x += moves[event.key];
      else if (event.key === "Home") x = view.from;
      else if (event.key === "End") x = view.to;
      else if (event.key === "+" || event.key === "=") zoom(0.5);
      else if (event.key === "-") zoom(2);
      else if (event.key === "Escape") { show(0, time.width); return; }
      else return;
      event.preventDefault();
      x = clamp(x, view.from, view.to);
      const box = cursor.getBoundingClientRect();
      point(chart, x, undefined, box.left + (x - view.from) / (view.to - view.from) * box.width, box.top + box.height / 2);
    });
    for (const button of chart.figure.querySelectorAll(".open"))
      button.addEventListener("click", () => {
        const group = chart.svg.querySelectorAll(".group")[button.dataset.group];
        const folded = group.classList.toggle("folded");
        button.setAttribute("aria-expanded", String(!folded));
        button.textContent = folded ? button.dataset.closed : "show the band";
        for (const item of chart.figure.querySelectorAll(`.single[data-group="${button.dataset.group}"]`)) item.hidden = folded;
        redraw([chart]);
      });
    watcher.observe(chart.figure);
  }

  // Names are switched off and on in all charts of their part.
  function switched(section, off) {
    for (const element of section.querySelectorAll(".lines [data-name]")) element.classList.toggle("off", off.has(element.dataset.name));
    for (const button of section.querySelectorAll(".legend [data-name]")) button.setAttribute("aria-pressed", String(!off.has(button.dataset.name)));
    redraw(charts.filter(chart => section.contains(chart.figure)));
  }
  const sections = [...document.querySelectorAll("section")].filter(section => section.querySelector(".chart"));
  for (const section of sections) {
    const off = section.off = new Set();
    section.addEventListener("click", event => {
      const button = event.target.closest(".legend [data-name]");
      if (!button) return;
      const {name} = button.dataset;
      if (event.detail === 2 || event.shiftKey) {
        off.clear();
        for (const other of section.querySelectorAll(".legend [data-name]")) if (other.dataset.name !== name) off.add(other.dataset.name);
      } else if (!off.delete(name)) off.add(name);
      switched(section, off);
    });
  }
  if (tools) tools.addEventListener("click", event => {
    const {range, show: wanted} = event.target.dataset;
    if (range) show(...(range === "measure" ? measure() : [0, time.width]));
    if (wanted) for (const section of sections) { section.off.clear(); switched(section, section.off); }
  });
  for (const details of document.querySelectorAll("main details"))
    details.addEventListener("toggle", () => redraw(charts.filter(chart => details.contains(chart.figure))));

  // Paper shows everything: what is folded away, and charts that were not near the screen.
  let opened = [];
  addEventListener("beforeprint", () => {
    leave();
    opened = [...document.querySelectorAll("main details:not([open], .help, .quiet)")];
    for (const details of opened) details.open = true;
    for (const chart of charts) if (chart.stale) chart.draw();
  });
  addEventListener("afterprint", () => { for (const details of opened) details.open = false; });
})();

// Draws Plotly figures and updates them in place, so that zoom and hidden lines outlive a refresh.
// One figure at a time, and only those in sight after the first time: a slow machine still has time
// for clicks in between. Plotly comes from this server, never from elsewhere.
let loaded = null;
const wanted = new Map(); // host -> its newest figure, not drawn yet
const inSight = new WeakMap();
let busy = false;

function plotly(url) {
  loaded ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { loaded = null; reject(new Error("Plotly could not be loaded")); };
    document.head.append(script);
  });
  return loaded;
}

const watcher = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) inSight.set(entry.target, entry.isIntersecting);
    drawSoon();
  },
  { rootMargin: "300px" },
);

function next() {
  const hosts = [...wanted.keys()].filter((host) => host.isConnected);
  return hosts.find((host) => inSight.get(host)) ?? hosts.find((host) => !host.data);
}

// After whatever the viewer does: input that waits goes first.
function later(work) {
  setTimeout(() => (window.requestIdleCallback ?? setTimeout)(work, { timeout: 200 }), 0);
}

function drawSoon() {
  if (busy || !next()) return;
  busy = true;
  later(async () => {
    try {
      const Plotly = await plotly(new URL("plotly.min.js", document.baseURI).href);
      const host = next();
      if (host) {
        const { traces, layout, config } = wanted.get(host);
        wanted.delete(host);
        await Plotly.react(host, traces, layout, config);
      }
    } catch (error) {
      console.error(error);
      await new Promise((resolve) => setTimeout(resolve, 2000));
    } finally {
      busy = false;
      drawSoon();
    }
  });
}

export default function ({ data, parentElement }) {
  const host = parentElement.querySelector(".mgen-figure");
  const style = getComputedStyle(parentElement);
  const ink = style.getPropertyValue("--st-text-color") || "#333";
  const font = style.getPropertyValue("--st-font") || "sans-serif";
  const figure = JSON.stringify([data, ink, font]);
  if (host.figure !== figure) { // a run that has ended is not drawn again and again
    host.figure = figure;
    const touch = matchMedia("(pointer: coarse)").matches;
    const lines = "rgba(128,128,128,0.25)";
    const layout = {
      ...data.layout,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      // A finger scrolls the page; a mouse zooms.
      dragmode: touch ? false : "zoom",
      modebar: { bgcolor: "rgba(0,0,0,0)", color: "rgba(128,128,128,0.6)", activecolor: ink },
      font: { color: ink, family: font, size: 12 },
      xaxis: { gridcolor: lines, zeroline: false, ...data.layout.xaxis },
      yaxis: { gridcolor: lines, zeroline: false, ...data.layout.yaxis },
    };
    const config = {
      responsive: true,
      displaylogo: false,
      // Without a mouse to hover it would always stand over the title.
      displayModeBar: touch ? false : "hover",
      modeBarButtonsToRemove: ["lasso2d", "select2d"],
      // By default every chart has a button that uploads it to Plotly's servers.
      showSendToCloud: false,
      plotlyServerURL: "",
    };
    host.style.minHeight = `${data.layout.height}px`; // else all are in sight until drawn
    wanted.set(host, { traces: data.traces, layout, config });
    watcher.observe(host);
    drawSoon();
  }
  return () => {
    watcher.unobserve(host);
    wanted.delete(host);
    delete host.figure;
    window.Plotly && window.Plotly.purge(host);
  };
}

// Draws Plotly figures and updates them in place, so that zoom and hidden lines outlive a refresh.
// Plotly comes from this server, never from elsewhere.
let loaded = null;

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

export default function ({ data, parentElement }) {
  const host = parentElement.querySelector(".mgen-figure");
  const style = getComputedStyle(parentElement);
  const ink = style.getPropertyValue("--st-text-color") || "#333";
  const font = style.getPropertyValue("--st-font") || "sans-serif";
  const lines = "rgba(128,128,128,0.25)";
  const layout = {
    ...data.layout,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    // A finger scrolls the page; a mouse zooms.
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    font: { color: ink, family: font, size: 12 },
    xaxis: { gridcolor: lines, zeroline: false, ...data.layout.xaxis },
    yaxis: { gridcolor: lines, zeroline: false, ...data.layout.yaxis },
  };
  const config = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] };
  plotly(new URL("plotly.min.js", document.baseURI).href)
    .then((Plotly) => Plotly.react(host, data.traces, layout, config));
  return () => window.Plotly && window.Plotly.purge(host);
}

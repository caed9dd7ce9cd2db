// Starts the page: the connection and the world first, then what shows them.

import "@fontsource-variable/inter/wght.css";
import "maplibre-gl/dist/maplibre-gl.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/map.css";
import "./styles/panels.css";
import "./styles/timeline.css";
import "./styles/pair.css";

import { render } from "preact";

import { App } from "./app";
import { startForks } from "./state/forks";
import { startGauges } from "./state/gauges";
import { startLinks } from "./state/link";
import { startNotices } from "./state/notices";
import { startPlayback } from "./state/playback";
import { startSession } from "./state/session";
import { applyTheme } from "./state/settings";
import { startClock } from "./state/simulation";
import { startTracking } from "./state/tracking";
import { startVan } from "./state/van";
import { loadWorld } from "./state/world";

applyTheme();
startSession();
startNotices();
startClock();
startPlayback();
startForks();
startGauges();
startLinks();
startTracking();
startVan();
void loadWorld();

const root = document.getElementById("app");
if (root) render(<App />, root);

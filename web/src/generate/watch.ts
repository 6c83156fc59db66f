import type { ReactiveController, ReactiveControllerHost } from "lit";
import { getGeneration, openWatch } from "../api";
import { asApiError } from "../errors";
import type { GeneratedImage, Generation, GenerationEvent } from "../messages";
import { isActive } from "../sentences";

// A browser opens six connections to a host over HTTP/1.1. Streams must leave some for everything else.
const MOST_STREAMS = 3;
const POLL_SECONDS = 2.5;
// The gateway names each event after what it holds.
const KINDS = ["queued", "started", "progress", "partial", "imageReady", "finished"] as const satisfies (keyof GenerationEvent)[];
let streams = 0;

function withImage(images: GeneratedImage[] = [], image: GeneratedImage): GeneratedImage[] {
  return [...images.filter(({ index }) => index !== image.index), image].sort((a, b) => (a.index ?? 0) - (b.index ?? 0));
}

/** Follows one generation from its first event to its last, through broken connections and reloads. */
export class GenerationWatch implements ReactiveController {
  generation?: Generation;
  /** How many are before it, where that is known. */
  position?: number;
  /** How much of it is done, 0 to 1, where that is known. */
  fraction?: number;
  /** How pictures on their way look, by index, as addresses. */
  partials: ReadonlyMap<number, string> = new Map();
  private source?: EventSource;
  private timer = 0;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly ended: (generation: Generation) => void,
    /** Whether it is what the person looks at, and gets a stream however many there are. */
    private readonly isMain = false,
  ) {
    host.addController(this);
  }

  follow(generation: Generation): void {
    if (generation.name === this.generation?.name) return;
    this.stop();
    this.generation = generation;
    this.position = this.fraction = undefined;
    this.partials = new Map();
    if (isActive(generation.state)) this.start();
    this.host.requestUpdate();
  }

  hostDisconnected(): void {
    this.stop();
  }

  hostConnected(): void {
    if (this.generation && isActive(this.generation.state)) this.start();
  }

  stop(): void {
    if (this.source) {
      this.source.close();
      this.source = undefined;
      streams -= 1;
    }
    clearTimeout(this.timer);
  }

  /** Takes in what another call said of it. */
  take(generation: Generation): void {
    this.generation = generation;
    this.host.requestUpdate();
    if (isActive(generation.state)) return;
    this.stop();
    this.ended(generation);
  }

  private start(): void {
    this.stop();
    if (streams >= MOST_STREAMS && !this.isMain) return this.pollLater();
    const source = openWatch(this.generation?.name ?? "");
    this.source = source;
    streams += 1;
    for (const kind of KINDS) {
      source.addEventListener(kind, ({ data }: MessageEvent<string>) => this.see(JSON.parse(data) as GenerationEvent));
    }
    source.onerror = () => {
      // While the browser itself reconnects there is nothing to do; once it gave up we ask from time to time.
      if (source.readyState !== EventSource.CLOSED) return;
      this.stop();
      this.pollLater();
    };
  }

  private pollLater(): void {
    this.timer = window.setTimeout(() => void this.poll(), POLL_SECONDS * 1000);
  }

  private async poll(): Promise<void> {
    try {
      this.take(await getGeneration(this.generation?.name ?? ""));
    } catch (error) {
      asApiError(error); // The page says so when the server cannot be reached.
    }
    if (isActive(this.generation?.state)) this.pollLater();
  }

  private see(event: GenerationEvent): void {
    const now = this.generation;
    if (event.finished?.generation) return this.take(event.finished.generation);
    if (event.queued) {
      this.position = event.queued.position ?? 0;
    } else if (event.started) {
      this.generation = { ...now, state: "RUNNING" };
      this.position = this.fraction = undefined;
    } else if (event.progress) {
      this.generation = { ...now, state: "RUNNING" };
      this.position = event.progress.position;
      this.fraction = typeof event.progress.fraction === "number" ? event.progress.fraction : undefined;
    } else if (event.partial) {
      // An earlier one comes without its picture when it is told again.
      const { index = 0, data } = event.partial;
      if (data) this.partials = new Map(this.partials).set(index, `data:image/webp;base64,${data}`);
    } else if (event.imageReady?.image) {
      this.generation = { ...now, images: withImage(now?.images, event.imageReady.image) };
    }
    this.host.requestUpdate();
  }
}

/** How it is going, in words that change seldom enough to be read aloud; the bar shows how far. */
export function progressWords({ generation, position, fraction }: GenerationWatch): string {
  const place = position ? `, ${position} ahead of you` : "";
  if (generation?.state === "QUEUED") return position === 0 ? "Next in line" : `Waiting to begin${place}`;
  return position && fraction === undefined ? `Waiting at the provider${place}` : "Drawing";
}

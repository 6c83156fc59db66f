import type { ReactiveController, ReactiveControllerHost } from "lit";
import { getFeatures, server } from "../api";
import { asApiError } from "../errors";
import type { Features } from "../messages";

const CALM_SECONDS = 15;
const WAITS = [2, 4, 8, 15];

/**
 * Keeps asking what the server offers: now and then while all is well, more often while it cannot be reached.
 * `features` is absent until the first answer.
 */
export class ServerWatch implements ReactiveController {
  features?: Features;
  reachable = true;
  /** Seconds until the next try, while the server cannot be reached. */
  seconds = 0;
  private failures = 0;
  private timer = 0;
  private asking = false;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly cameBack: () => void,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    server.addEventListener("unreachable", this.lost);
    addEventListener("online", this.ask);
    addEventListener("offline", this.ask);
    document.addEventListener("visibilitychange", this.ask);
    void this.ask();
  }

  hostDisconnected(): void {
    server.removeEventListener("unreachable", this.lost);
    removeEventListener("online", this.ask);
    removeEventListener("offline", this.ask);
    document.removeEventListener("visibilitychange", this.ask);
    clearTimeout(this.timer);
  }

  readonly ask = async (): Promise<void> => {
    if (this.asking || document.hidden) return;
    this.asking = true;
    clearTimeout(this.timer);
    try {
      this.features = await getFeatures(AbortSignal.timeout(8000));
      this.failures = 0;
      if (!this.reachable) {
        this.reachable = true;
        this.cameBack();
      }
    } catch (error) {
      if (!(error instanceof DOMException)) asApiError(error);
      this.reachable = false;
      this.failures += 1;
    } finally {
      this.asking = false;
    }
    this.seconds = this.reachable ? CALM_SECONDS : (WAITS[Math.min(this.failures, WAITS.length) - 1] ?? CALM_SECONDS);
    this.tick();
  };

  private readonly lost = (): void => {
    if (this.reachable) void this.ask();
  };

  private readonly tick = (): void => {
    if (!this.reachable || this.seconds === CALM_SECONDS) this.host.requestUpdate();
    clearTimeout(this.timer);
    if (this.seconds <= 0) {
      void this.ask();
      return;
    }
    this.timer = window.setTimeout(() => {
      this.seconds -= 1;
      this.tick();
    }, 1000);
  };
}

import { css } from "lit";

export const generationViewStyles = css`
  :host {
    display: grid;
    gap: var(--wa-space-l);
  }
  .waiting {
    display: grid;
    place-items: center;
    min-height: 20rem;
    font-size: 2rem;
  }
  .pictures {
    display: grid;
    --room: max(18rem, 100dvh - 24rem);
    grid-template-columns: repeat(2, minmax(0, calc(var(--room) / 2 * var(--ratio))));
    justify-content: center;
    gap: var(--wa-space-s);
  }
  .pictures:empty {
    display: none;
  }
  .of-0 {
    display: none;
  }
  .of-1 {
    grid-template-columns: minmax(0, calc(var(--room) * var(--ratio)));
  }
  .of-2 {
    grid-template-columns: repeat(2, minmax(0, calc(var(--room) * var(--ratio))));
  }
  .of-5 {
    grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr));
  }
  @media (min-width: 52rem) {
    .of-3 {
      grid-template-columns: repeat(3, minmax(0, calc(var(--room) * var(--ratio))));
    }
  }
  li {
    position: relative;
    aspect-ratio: var(--ratio);
    overflow: hidden;
    border-radius: var(--wa-border-radius-m);
    background: var(--plate);
  }
  picture-thumb {
    width: 100%;
    height: 100%;
  }
  .making {
    display: grid;
    place-items: center;
    background: linear-gradient(110deg, var(--glow-quiet) 30%, var(--glow-middle) 50%, var(--glow-quiet) 70%) 0 0 / 300% 100%;
    color: var(--glow-strong);
    font-size: 2rem;
    animation: sweep 2.8s linear infinite;
  }
  .making img {
    display: block;
    width: 100%;
    height: 100%;
    object-fit: cover;
  }
  @keyframes sweep {
    from {
      background-position: 150% 0;
    }
    to {
      background-position: -50% 0;
    }
  }
  button {
    display: block;
    width: 100%;
    height: 100%;
    padding: 0;
    border: 0;
    border-radius: inherit;
    background: none;
    cursor: pointer;
  }
  button::after {
    content: "";
    position: absolute;
    inset: 0;
    border-radius: inherit;
    box-shadow: inset 0 0 0 1px rgb(0 0 0 / 12%);
  }
  button[aria-pressed="true"]::after {
    box-shadow:
      inset 0 0 0 3px var(--wa-color-brand-fill-loud),
      inset 0 0 0 5px var(--wa-color-surface-raised);
  }
  button[aria-pressed="false"] picture-thumb {
    opacity: 0.72;
  }
  button:focus-visible {
    outline: var(--wa-focus-ring);
    outline-offset: -3px;
  }
  .mark,
  .flag {
    position: absolute;
    z-index: 1;
    top: var(--wa-space-s);
    right: var(--wa-space-s);
    display: grid;
    place-items: center;
    width: 1.75rem;
    height: 1.75rem;
    border: 2px solid white;
    border-radius: 50%;
    background: rgb(0 0 0 / 32%);
    color: white;
  }
  [aria-pressed="true"] .mark {
    background: var(--wa-color-brand-fill-loud);
  }
  .flag {
    display: flex;
    gap: var(--wa-space-2xs);
    align-items: center;
    width: auto;
    padding-inline: var(--wa-space-xs);
    border: 0;
    border-radius: 1rem;
    background: rgb(0 0 0 / 62%);
    font-size: var(--wa-font-size-xs);
  }
  .progress {
    display: grid;
    gap: var(--wa-space-xs);
  }
  wa-progress-bar {
    --track-height: 0.375rem;
    --indicator-color: var(--glow);
  }
  .prompt {
    padding-inline-start: var(--wa-space-m);
    border-inline-start: 3px solid var(--wa-color-surface-border);
    color: var(--wa-color-text-quiet);
    font-family: var(--wa-font-family-longform);
    font-size: var(--wa-font-size-s);
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    max-height: 8rem;
    overflow-y: auto;
  }
`;

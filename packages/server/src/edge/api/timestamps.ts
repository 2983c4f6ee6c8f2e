/** `YYYY-MM-DD HH:MM:SS.ffffff`, UTC: containers. Go's clients do not take a `T` here. */
export function spaced(ms: number): string {
  return iso(ms).replace('T', ' ')
}

/** `YYYY-MM-DDTHH:MM:SS.ffffff`, UTC: actions, events, services. */
export function iso(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000`
}

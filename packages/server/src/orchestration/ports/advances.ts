/**
 * What is made in another service before the request it is for is accepted: noted here first, under an id or a mark by which
 * it can be found there. See docs/design/cinder.md.
 */
export interface Advance {
  /** Id of what is made, or the mark on it. */
  readonly uuid: string
  readonly kind: 'volume' | 'image'
  /** Container whose operation uses it; null: none was accepted yet. */
  readonly containerUuid: string | null
}

export interface AdvanceReads {
  /** Those of accepted requests, and others once they are so old that theirs must have come to its end. Oldest first. */
  due(ageMs: number, max: number): Promise<Advance[]>
}

export interface AdvanceWrites extends AdvanceReads {
  insert(advance: Pick<Advance, 'uuid' | 'kind'>): Promise<void>
  /** An operation of this container has it now. False when the note is gone, and what was made with it. */
  hand(uuid: string, containerUuid: string): Promise<boolean>
  /** Its request was refused: due at once. False when there is no such note, because the request was accepted. */
  abandon(uuid: string): Promise<boolean>
  /** False when there is no such note. */
  remove(uuid: string): Promise<boolean>
}

/** A resource provider of ours in a cloud's count, whose host has been removed for good. */
export interface LeftProvider {
  readonly uuid: string
  /** Its name. */
  readonly host: string
}

export interface LeftProviderReads {
  /** Oldest first. */
  list(max: number): Promise<LeftProvider[]>
}

export interface LeftProviderWrites extends LeftProviderReads {
  /** Noted once, however often. */
  insert(provider: LeftProvider): Promise<void>
  /** False when there is no such note. */
  remove(uuid: string): Promise<boolean>
}

/** Rung when one was noted. */
export const LEFT_PROVIDERS_BELL = 'left-providers'

/** Creates whose sender may send them again. */

export interface IdempotencyOwner {
  readonly projectId: string
  readonly userId: string
  readonly key: string
}

export interface IdempotentRequest {
  readonly requestHash: string
  /** What was made of it. */
  readonly containerUuid: string
}

export interface IdempotencyReads {
  find(owner: IdempotencyOwner): Promise<IdempotentRequest | undefined>
}

export interface IdempotencyWrites extends IdempotencyReads {
  /** Fails when the owner has used the key. */
  insert(owner: IdempotencyOwner, request: IdempotentRequest): Promise<void>
  /** Forgets up to `max` that are older. Returns how many. */
  purge(ageMs: number, max: number): Promise<number>
}

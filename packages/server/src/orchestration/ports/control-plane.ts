import type {
  ClaimedOperation,
  ClaimQuery,
  DeploymentQuery,
  Disposal,
  Disposed,
  Heartbeat,
  HostHello,
  ImageDone,
  ImageProgress,
  LeaseRef,
  ObservedReport,
  OperationEnd,
  Ownership,
  OwnershipQuery,
  PendingImage,
  RenewResult,
  Session,
  SessionRef,
  StepEntry,
} from '@zund/contract/link/messages.ts'

export interface CallOptions {
  readonly signal: AbortSignal
}

/**
 * All an agent knows of the control plane. Every call may be repeated after a lost answer.
 * A call under an old epoch or an old fence is refused with FencedOut.
 */
export interface ControlPlane {
  /** The mark of what is this deployment's among the objects of an engine. */
  deployment(query: DeploymentQuery, o: CallOptions): Promise<string>
  /** Begins a new life of the host's agent: epoch + 1, running operations of older lives go back to the queue. */
  openSession(hello: HostHello, o: CallOptions): Promise<Session>
  /** Long poll: answers at once when something is claimable, else after at most `waitMs` with an empty list. */
  claim(query: ClaimQuery, o: CallOptions): Promise<ClaimedOperation[]>
  /** Renews leases; is also the host's heartbeat. */
  heartbeat(beat: Heartbeat, o: CallOptions): Promise<RenewResult>
  /** Journals steps, all entries in one transaction. */
  journal(ref: LeaseRef, entries: readonly StepEntry[], o: CallOptions): Promise<void>
  /** Ends this claim: final state, or back to the queue. `entries` are journaled in the same transaction. */
  finish(ref: LeaseRef, entries: readonly StepEntry[], end: OperationEnd, o: CallOptions): Promise<void>
  report(seen: ObservedReport, o: CallOptions): Promise<void>
  /** Which of these engine containers, labelled as ours, belong to nobody any more. */
  orphans(query: OwnershipQuery, o: CallOptions): Promise<Ownership>
  /** What this host is to remove and has not reported removed. */
  disposals(session: SessionRef, o: CallOptions): Promise<Disposal[]>
  /** It is gone from this host. */
  disposed(done: Disposed, o: CallOptions): Promise<void>
  /** Images this host was asked to pull or delete and has not reported done, oldest first. */
  pendingImages(session: SessionRef, o: CallOptions): Promise<PendingImage[]>
  /** For those who listen; nothing depends on it. */
  imageProgress(progress: ImageProgress, o: CallOptions): Promise<void>
  /** Nothing happens when the record asks for something else by now, or is gone. */
  imageDone(done: ImageDone, o: CallOptions): Promise<void>
}

import type { CallOptions } from '../../orchestration/ports/control-plane.ts'

/** What a token gives the right to: one connection to one stream. */
export interface StreamTicket {
  readonly containerUuid: string
  readonly host: string
  readonly userId: string
  readonly stream: StreamTarget
}

/** `before-start`: attach to a program that does not run yet. */
export type StreamTarget =
  | { readonly verb: 'attach' | 'before-start' }
  | { readonly verb: 'exec'; readonly execId: string }

/** Adapter: adapters/sql/repos/stream-tickets.ts. Only a hash of a token is kept, and for a minute at most. */
export interface StreamTickets {
  /** A new token. A ticket to attach takes the place of the one this user had for this container. */
  issue(ticket: StreamTicket, o: CallOptions): Promise<string>
  /**
   * Uses the ticket up. undefined when there is none such: unknown, expired, used already, or for another container or
   * stream; then nothing is used up.
   */
  take(token: string, containerUuid: string, stream: StreamTarget, o: CallOptions): Promise<StreamTicket | undefined>
}

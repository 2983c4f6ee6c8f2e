/**
 * Connects to a stream of a container on its host. Adapters: adapters/streams/local-dialer (same process); one over TLS,
 * to other hosts, does not exist yet.
 *
 * What is given back are the program's bytes, without framing, both ways. The signal stays in charge after the call
 * has returned: when it is aborted the stream is destroyed. Ending the writable side tells the program that there is no
 * more input; destroying it breaks the connection off.
 *
 * Errors: those of orchestration/ports/engine.ts, by class; Unavailable when the host cannot be reached.
 */
import type { Duplex } from 'node:stream'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'

export interface StreamDialer {
  /** The main program, from now on: nothing that it wrote before is repeated. */
  attach(host: string, containerUuid: string, o: CallOptions): Promise<Duplex>
  /** Starts an exec that was created, and connects to it. */
  exec(host: string, execId: string, o: CallOptions): Promise<Duplex>
}

import type { PortData } from './wire.ts'

/** A port in another service that could not be given back: of a container that was deleted by force, or of a failed attach. */
export interface LeftoverPort {
  /** Of the binding. */
  readonly uuid: string
  readonly containerUuid: string
  readonly data: PortData
}

export interface LeftoverPortReads {
  /**
   * Those whose container is gone, oldest first. As long as it is there the port may be used again: another attach to
   * the same network finds it.
   */
  due(max: number): Promise<LeftoverPort[]>
}

export interface LeftoverPortWrites extends LeftoverPortReads {
  /** Noted once, however often. */
  insert(port: LeftoverPort): Promise<void>
  /** False when there is no such note. */
  remove(uuid: string): Promise<boolean>
}

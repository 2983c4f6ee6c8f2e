import { Retryable, SystemFault, UserFault } from '../../../domain/errors.ts'
import type { Clock } from '../../../orchestration/ports/clock.ts'
import type { Cinder, CinderAttachment, CinderVolume } from '../../openstack/cinder.ts'
import { OpenStackError, toRetryable } from '../../openstack/errors.ts'
import { isRecord, textIn, type JsonRecord } from '../../openstack/json.ts'
import type { Connection } from '../connectors/connector.ts'

export interface AttachmentsDeps {
  readonly cinder: Cinder
  readonly clock: Clock
  readonly properties: () => Promise<JsonRecord>
  /** [volume] timeout_wait_volume_available, timeout_wait_volume_deleted; milliseconds. */
  readonly availableTimeoutMs: number
  readonly deletedTimeoutMs: number
}

interface CallOptions {
  readonly signal: AbortSignal
}

export interface Attached {
  readonly attachmentId: string
  readonly connection: Connection
  /** Its end was told to the volume service before. */
  readonly isComplete: boolean
}

/** What is written down of one holder. */
interface Known {
  readonly holder: string
  readonly attachmentId: string
}

const POLL_MS = 1_000

/** What the volume service holds for containers of this host. */
export class Attachments {
  readonly #deps: AttachmentsDeps

  constructor(deps: AttachmentsDeps) {
    this.#deps = deps
  }

  /** The one that is written down for this holder here, or a new one once the volume may be had. */
  async obtain(volumeId: string, holder: string, known: string | null, o: CallOptions): Promise<Attached> {
    return await asked(async () => {
      const there = await this.#mine(volumeId, holder, known, o)
      if (there !== undefined) return toAttached(volumeId, there)
      const connector = await this.#deps.properties()
      await this.#untilUsable(volumeId, o)
      return toAttached(volumeId, await this.#make(volumeId, holder, connector, o))
    })
  }

  async complete({ attachmentId, isComplete }: Attached, o: CallOptions): Promise<void> {
    if (isComplete) return
    await asked(() => this.#deps.cinder.complete(attachmentId, o))
  }

  /** All that the holder has of it, whatever is remembered here. */
  async release(volumeId: string, holder: string, known: string | null, o: CallOptions): Promise<void> {
    await asked(async () => {
      const { cinder } = this.#deps
      const found = (await cinder.attachmentsOf(volumeId, holder, o)).map(({ id }) => id)
      for (const id of new Set([...found, ...(known === null ? [] : [known])])) await cinder.detach(id, o)
    })
  }

  async releaseOne(attachmentId: string, o: CallOptions): Promise<void> {
    await asked(() => this.#deps.cinder.detach(attachmentId, o))
  }

  /** Whether the volume is there, and all that is written down of it here was given back: a holder may have it elsewhere by now. */
  async isTaken(volumeId: string, known: readonly Known[], o: CallOptions): Promise<boolean> {
    const { cinder } = this.#deps
    for (const { holder, attachmentId } of known) {
      if ((await cinder.attachmentsOf(volumeId, holder, o)).some(({ id }) => id === attachmentId)) return false
    }
    // Who may not see attachments of others is shown none; nor is the volume, then.
    return (await cinder.show(volumeId, {}, o)) !== undefined
  }

  /** Until it is gone. */
  async destroy(volumeId: string, o: CallOptions): Promise<void> {
    const { cinder, clock, deletedTimeoutMs } = this.#deps
    await asked(async () => {
      const deadline = clock.now() + deletedTimeoutMs
      let isAsked = false
      for (;;) {
        const volume = await cinder.show(volumeId, {}, o)
        if (volume === undefined) return
        if (isAsked && volume.status.startsWith('error')) {
          throw new SystemFault('volume.not_deleted', `volume ${volumeId} could not be deleted: it is ${volume.status}`)
        }
        if (!isAsked && ['available', 'in-use', 'error', 'error_deleting'].includes(volume.status)) {
          await this.#remove(volumeId, o)
          isAsked = true
        }
        if (clock.now() >= deadline) {
          throw new SystemFault(
            'volume.not_deleted',
            `volume ${volumeId} was not deleted after ${deletedTimeoutMs / 1000} seconds: it is ${volume.status}`,
          )
        }
        await clock.sleep(POLL_MS, o.signal)
      }
    })
  }

  async #remove(volumeId: string, o: CallOptions): Promise<void> {
    try {
      await this.#deps.cinder.remove(volumeId, o)
    } catch (error) {
      if (!(error instanceof OpenStackError) || error.status !== 400) throw error
      // Somebody else has it, or it has snapshots by now; that may end.
      throw new Retryable('volume.not_deleted', `volume ${volumeId} cannot be deleted: ${error.reason}`, {
        cause: error,
      })
    }
  }

  /**
   * The service does not tell for which host an attachment was made, and one of another host leads there: its storage may let
   * nobody else in. So only what is written down here is used.
   */
  async #mine(
    volumeId: string,
    holder: string,
    known: string | null,
    o: CallOptions,
  ): Promise<CinderAttachment | undefined> {
    const { cinder } = this.#deps
    let mine: CinderAttachment | undefined
    for (const found of await cinder.attachmentsOf(volumeId, holder, o)) {
      const isGood = isConnected(found) && !found.status.startsWith('error') && found.status !== 'detaching'
      if (found.id === known && isGood) mine = found
      // Of a host that it was on before, or of a try that came to nothing.
      else await cinder.detach(found.id, o)
    }
    return mine
  }

  async #make(volumeId: string, holder: string, connector: JsonRecord, o: CallOptions): Promise<CinderAttachment> {
    try {
      return await this.#deps.cinder.attach(volumeId, holder, connector, o)
    } catch (error) {
      if (error instanceof OpenStackError && (error.status === 400 || error.status === 409)) {
        throw new UserFault('volume.in_use', `volume ${volumeId} cannot be attached: ${error.reason}`, { cause: error })
      }
      throw error
    }
  }

  async #untilUsable(volumeId: string, o: CallOptions): Promise<void> {
    const { cinder, clock, availableTimeoutMs } = this.#deps
    const deadline = clock.now() + availableTimeoutMs
    for (;;) {
      const volume = await cinder.show(volumeId, {}, o)
      if (volume === undefined) throw new UserFault('volume.not_found', `volume ${volumeId} does not exist any more`)
      if (isUsable(volume)) return
      const now = `volume ${volumeId} is ${volume.status}`
      if (volume.status.startsWith('error')) throw new UserFault('volume.not_usable', now)
      if (clock.now() >= deadline) {
        const after = `Volumes did not reach available status after ${availableTimeoutMs / 1000} seconds`
        throw new UserFault('volume.not_usable', `${after}: ${now}`)
      }
      await clock.sleep(POLL_MS, o.signal)
    }
  }
}

function isUsable({ id, status, multiattach, encrypted }: CinderVolume): boolean {
  if (encrypted) throw new UserFault('volume.encrypted', `volume ${id} is encrypted, which is not supported`)
  return status === 'available' || (status === 'in-use' && multiattach)
}

function isConnected({ connection }: CinderAttachment): boolean {
  return textIn(connection, 'driver_volume_type') !== undefined
}

function toAttached(volumeId: string, { id, status, connection }: CinderAttachment): Attached {
  const type = textIn(connection, 'driver_volume_type')
  if (type === undefined) {
    throw new SystemFault('volume.bad_answer', `the volume service does not say how volume ${volumeId} is reached`)
  }
  if (connection['encrypted'] === true) {
    throw new UserFault('volume.encrypted', `volume ${volumeId} is encrypted, which is not supported`)
  }
  // Older forms have the details one level below.
  const data = isRecord(connection['data']) ? connection['data'] : connection
  const readOnly = (textIn(connection, 'access_mode') ?? textIn(data, 'access_mode')) === 'ro'
  return { attachmentId: id, connection: { type, data, readOnly }, isComplete: status === 'attached' }
}

async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    throw toRetryable(error)
  }
}

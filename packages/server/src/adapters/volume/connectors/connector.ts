import type { JsonRecord } from '../../openstack/json.ts'

/** How a volume is reached, as the volume service says it. */
export interface Connection {
  /** `driver_volume_type` */
  readonly type: string
  readonly data: JsonRecord
  readonly readOnly: boolean
}

export interface ConnectorCall {
  readonly volumeId: string
  readonly connection: Connection
  readonly signal: AbortSignal
}

/** Brings the volumes of one kind of storage to the host as block devices. */
export interface Connector {
  /** Path of the device. Repeatable: what is there is not made twice. */
  connect(call: ConnectorCall): Promise<string>
  /** Repeatable, and also of what was made in part. The device is not mounted any more. */
  disconnect(call: ConnectorCall): Promise<void>
}

/** Once per life of the agent: takes away what a crash has left of volumes that are not written down here. */
export interface Tidying {
  tidy(kept: readonly Omit<ConnectorCall, 'signal'>[], o: { readonly signal: AbortSignal }): Promise<void>
}

import type { Connector, ConnectorCall } from './connector.ts'
import { badConnection, told } from './faults.ts'

/** Volumes that are devices of this host already. */
export class LocalDevice implements Connector {
  async connect(call: ConnectorCall): Promise<string> {
    const path = told(call, 'device_path')
    if (path.startsWith('/dev/') && !path.split('/').includes('..')) return path
    throw badConnection(call.volumeId, call.connection.type, `${path} is no device`)
  }

  async disconnect(): Promise<void> {
    // There is nothing between the host and its device.
  }
}

/** The network plugin of a service that is not there any more, so that the engine can give up what it has of it. */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ProcessCommand } from '../../src/adapters/host-command/process-command.ts'
import { HostPlugger } from '../../src/adapters/network/plug/host-plugger.ts'
import { SqlHostPorts } from '../../src/adapters/network/sql-host-ports.ts'
import { PluginServer } from '../../src/edge/libnetwork/plugin-server.ts'
import { quietLog } from './quiet-log.ts'

export async function withPlugin(
  { stateDir, name }: { readonly stateDir: string; readonly name: string },
  work: () => Promise<void>,
): Promise<void> {
  const file = join(stateDir, 'ports.sqlite')
  if (!existsSync(file)) {
    await work()
    return
  }
  const ports = new SqlHostPorts(file)
  const plugger = new HostPlugger({ command: new ProcessCommand(), ovsBridge: 'br-int' })
  const socketPath = `/run/docker/plugins/${name}.sock`
  const plugin = new PluginServer({ socketPath, ports, plugger, log: quietLog })
  await plugin.start()
  try {
    await work()
  } finally {
    await plugin.stop()
    ports.close()
    rmSync(socketPath, { force: true })
  }
}

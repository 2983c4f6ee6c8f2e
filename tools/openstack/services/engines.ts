import { importBusybox } from '../../test/busybox-image.ts'
import { answersPing } from '../../test/private-engine.ts'
import { startDaemon } from '../daemons.ts'
import { CONTROLLER, NODES, type Places } from '../places.ts'

const IMPORT_TIMEOUT_MS = 60_000

/** A container engine on each node, with the image busybox:latest. */
export async function startEngines(places: Places): Promise<void> {
  await Promise.all(
    NODES.map(async ({ name }) => {
      const socket = places.engineSocket(name)
      const started = startDaemon(places, {
        name: `dockerd-${name}`,
        argv: [
          'dockerd',
          `--data-root=${places.data('docker', name)}`,
          `--exec-root=${places.data('docker', `${name}-exec`)}`,
          `--pidfile=${places.data(`dockerd-${name}.pid`)}`,
          `--host=unix://${socket}`,
          `--cgroup-parent=/${places.controlGroup}`,
          '--iptables=true',
        ],
        ...(name === CONTROLLER.name ? {} : { node: name }),
      })
      await started.ready(async () => answersPing(socket))
      await importBusybox(socket, { signal: AbortSignal.timeout(IMPORT_TIMEOUT_MS) })
    }),
  )
}

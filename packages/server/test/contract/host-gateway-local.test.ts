import { LocalHostGateway } from '../../src/adapters/streams/local-host-gateway.ts'
import { hostGatewaySuite } from './host-gateway.suite.ts'

hostGatewaySuite('LocalHostGateway', async (host) => ({
  gateway: new LocalHostGateway(host),
  close: async () => undefined,
}))

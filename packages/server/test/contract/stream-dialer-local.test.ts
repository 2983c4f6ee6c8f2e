import { LocalStreamDialer } from '../../src/adapters/streams/local-dialer.ts'
import { HOST, streamDialerSuite } from './stream-dialer.suite.ts'

streamDialerSuite('LocalStreamDialer', async (engine) => ({
  dialer: new LocalStreamDialer({ host: HOST, engine }),
  close: async () => undefined,
}))

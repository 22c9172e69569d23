// The crypto worker's entry. Its file is served with a policy of its own: no network, no eval, WebAssembly for Argon2id.

import { serve, type Endpoint } from "./rpc";
import { WorkerMethods } from "./worker-methods";

serve(self as unknown as Endpoint, new WorkerMethods());

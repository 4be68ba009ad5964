// Signs for tests that are written in another language: see wallet.mjs for what, lines.mjs for how.
import { serve } from './lines.mjs';
import * as wallet from './wallet.mjs';

await serve(wallet);

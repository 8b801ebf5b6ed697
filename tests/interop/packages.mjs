// SPDX-License-Identifier: MIT
// Medusa's packages as they are pinned here, whoever asks from where.
import { createRequire } from "node:module";

export const medusa = createRequire(new URL("package.json", import.meta.url));

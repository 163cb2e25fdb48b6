// The script of ears and eyes: spoken commands, and bar codes from the camera.
import { openDialog } from "./state/notices.js";
import { beginTalking, finishTalking } from "./parts/talking.js";
import { ScanDialog } from "./parts/scandialog.js";
import { setScanner } from "./parts/obeying.js";

export const openScanner = () => void openDialog(ScanDialog, {});
export const startTalking = () => void beginTalking();
export const stopTalking = () => void finishTalking();
setScanner(openScanner);

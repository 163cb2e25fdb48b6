// The camera in a dialog: on while the dialog is open.
import { useEffect, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";

const SIDE = { width: 640, height: 480 };

/** Show the camera's picture; gives why there is none. @param {{current: HTMLVideoElement | null}} video */
export function useCamera(video) {
  const [problem, setProblem] = useState("");
  useEffect(() => {
    /** @type {MediaStream | null} */
    let stream = null;
    let over = false;
    const start = async () => {
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { ...SIDE, facingMode: "environment" } });
        if (over || !video.current) return stop();
        video.current.srcObject = stream;
        await video.current.play();
      } catch {
        if (!over) setProblem(t("look.none"));
      }
    };
    const stop = () => stream?.getTracks().forEach((track) => track.stop());
    void start();
    return () => {
      over = true;
      stop();
    };
  }, []);
  return problem;
}

"""What is said in the scene: names of recordings, phrases, and what goes wrong."""

NAMES = (
    "定例会議 {day}.m4a", "インタビュー_{n:02}.wav", "講義 第{n}回.mp3",
    "取材メモ {day} {hour}時.m4a", "理事会議事録 {day}.wav", "電話メモ {day}.amr", "朝会 {day}.ogg",
    "Interview {n:02} — river valley.wav", "board-meeting-{day}.mp3", "lecture_{n:02}.flac",
    "podcast ep{n}.mp3", "Oral history, tape {n}.wav", "voice-memo-{day}-{hour}00.m4a",
    "Town hall {day}.mp4", "field notes {n}.opus",
)  # fmt: skip

PHRASES = (
    "それでは、定刻になりましたので始めます。",
    "前回の議事録について、ご意見はありますか。",
    "来月の予算は、今週中にまとめてお送りします。",
    "古い電話でも、文字起こしには十分使えました。",
    "次の方、お願いします。",
    "雨のため、見学は木曜日に変更になりました。",
    "The orchard was planted by my grandfather in the spring of nineteen fifty-two.",
    "We should send the minutes to everybody before Friday.",
    "Could you say that again, please? The line was very bad.",
    "I remember the sound of the mill, day and night.",
    "There are three points on the agenda today.",
    "Let us come back to the question of the roof.",
)

FAULTS = {
    "sound": (
        "The sound cannot be read: Invalid data found when processing input",
        "The sound cannot be read: moov atom not found",
    ),
    "chunk": (
        "RuntimeError: CUDA out of memory",
        "OSError: [Errno 28] No space left on device",
        "the model was not loaded in time",
    ),
}

LOG_LINES = (
    (20, "agent", "chunk {job}_chunk_{n} begins"),
    (20, "agent", "chunk {job}_chunk_{n} done in {n}.4 s"),
    (20, "pipeline", "job {job}: splitting begins (attempt 1)"),
    (20, "pipeline", "job {job}: 静かなところで {n} 個に分けました"),
    (30, "agent", "no sign of life could be given: [Errno 111] Connection refused"),
    (30, "web", "Too Many Requests: /api/v1/jobs"),
    (40, "agent", "chunk {job}_chunk_{n}: RuntimeError: CUDA out of memory"),
    (20, "ambassador", "issue {n} went back to the queue: its process does not answer"),
)

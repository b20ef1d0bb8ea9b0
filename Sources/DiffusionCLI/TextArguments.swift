import ArgumentParser
import DiffusionPipelines

/// The options of models that draw from texts.
struct TextArguments: ParsableArguments {
  @Option(help: "What the picture is to show; words may have weights: a (red:1.3) fox.")
  var prompt: String?

  @Option(help: "What the picture is not to show.")
  var negative: String?

  @Option(help: "The picture's width in pixels (default: what the model was trained on).")
  var width: Int?

  @Option(help: "The picture's height in pixels.")
  var height: Int?

  @Option(
    help: """
      Which of the text encoder's layers is looked at, counted from the last: 1 is the last, 2 the one before \
      (default: what the model was trained with).
      """)
  var clipSkip: Int?

  @Option(help: "Which of several files of parameters a folder's parts have, such as fp16.")
  var variant: String?

  /// The first option that was given, by its name.
  var given: String? {
    let all: [(String, Bool)] = [
      ("prompt", prompt != nil), ("negative", negative != nil), ("width", width != nil),
      ("height", height != nil), ("clip-skip", clipSkip != nil), ("variant", variant != nil),
    ]
    return all.first { $0.1 }?.0
  }

  func validate() throws {
    if let clipSkip, clipSkip < 1 {
      throw ValidationError("--clip-skip takes a number of 1 or more, not \(clipSkip).")
    }
  }

  /// The request for pictures of a text.
  func request(_ pictures: ImageRequest) -> TextRequest {
    TextRequest(
      prompt: prompt ?? "", negative: negative ?? "", height: height, width: width,
      skippedLayers: clipSkip.map { $0 - 1 }, pictures: pictures)
  }
}

import ArgumentParser
import Diffusion
import DiffusionPipelines

/// Which files the parts of a model of texts are read from.
struct PartArguments: ParsableArguments {
  @Option(help: "Which of several files of parameters a folder's parts have, such as fp16.")
  var variant: String?

  @Option(help: "Another autoencoder: a file under any names, or a folder.")
  var vae: String?

  @Option(
    help: "Another text encoder: a file under any names, or a folder. Given twice, for SDXL's two.")
  var textEncoder: [String] = []

  @Option(
    help: """
      What the U-Net answers with, epsilon or v_prediction, where that is not as its files say; a single file of Stable \
      Diffusion 2 does not.
      """)
  var prediction: String?

  /// What is not the model's files' own.
  var options: LatentParts.Options {
    LatentParts.Options(
      variant: variant, autoencoder: vae, textEncoders: textEncoder,
      parameterization: prediction.flatMap { name in
        Parameterization.allCases.first { $0.name == name }
      })
  }

  /// The first option that was given, by its name.
  var given: String? {
    let all: [(String, Bool)] = [
      ("variant", variant != nil), ("vae", vae != nil), ("text-encoder", !textEncoder.isEmpty),
      ("prediction", prediction != nil),
    ]
    return all.first { $0.1 }?.0
  }

  func validate() throws {
    let known = ["epsilon", "v_prediction", "sample"]
    if let prediction, !known.contains(prediction) {
      throw ValidationError(
        "--prediction takes epsilon, v_prediction or sample, not \(prediction).")
    }
  }
}

import DiffusionImages
import DiffusionModels
import DiffusionTraining
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct DenoisingTaskTests {
  /// Forty pictures of 8x8, half dark and half light, as IDX files; and a U-Net of two levels.
  private static func configuration(
    in folder: DataFolder, _ settings: [String] = []
  ) throws -> DenoisingConfiguration {
    let defaults = settings.contains(score) ? DenoisingConfiguration.score : .init()
    let settings = settings.filter { $0 != score }
    var pixels: [UInt8] = []
    for index in 0..<40 {
      let base = index % 2 == 0 ? 40 : 190
      for place in 0..<64 { pixels.append(UInt8(base + (place * 7 + index * 3) % 50)) }
    }
    try folder.write(idx([40, 8, 8], pixels), to: "train-images-idx3-ubyte")
    try folder.write(idx([40], (0..<40).map { UInt8($0 % 2) }), to: "train-labels-idx1-ubyte")
    let text = """
      {
        "model": {
          "sample_size": 8, "in_channels": 1, "out_channels": 1, "block_out_channels": [8, 16],
          "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
          "up_block_types": ["AttnUpBlock2D", "UpBlock2D"],
          "layers_per_block": 1, "norm_num_groups": 4, "num_class_embeds": 3
        },
        "process": {"num_train_timesteps": 50, "timestep_spacing": "trailing"},
        "data": {"path": "\(folder.url.path)", "resolution": 8, "validation_fraction": 0.2},
        "samples": {"per_class": 2, "steps": 3},
        "training": {
          "steps": 6, "batch_size": 4, "output": "\(folder.url.path)/run", "validation_interval": 3,
          "validation_examples": 6, "sample_interval": 6, "checkpoint_interval": 100
        }
      }
      """
    return try DenoisingConfiguration(
      json: Data(text.utf8), source: "tiny", settings: settings, over: defaults)
  }

  /// Stands in `settings` for the defaults of `train score`.
  private static let score = "score"
  /// Score-based models of every kind, beside EDM's defaults.
  static let scoreSettings: [[String]] = [
    [score],
    [
      score, "process.kind=vp", "process.prediction_type=epsilon", "loss.weighting=likelihood",
      "loss.time_sampling=importance",
    ],
    [
      score, "process.kind=sub_vp", "process.prediction_type=score", "loss.weighting=score",
      "loss.time_sampling=uniform",
    ],
    [
      score, "process.kind=ve", "process.noise_levels=10", "process.sigma_max=1",
      "process.prediction_type=score", "model.time_embedding_type=fourier",
      "loss.weighting=score",
    ],
    [
      score, "process.kind=ve", "process.sigma_max=5", "loss.objective=sliced",
      "loss.time_sampling=uniform", "model.num_class_embeds=null",
      "model.down_block_types=[\"SkipDownBlock2D\",\"SkipDownBlock2D\"]",
      "model.up_block_types=[\"SkipUpBlock2D\",\"SkipUpBlock2D\"]",
    ],
  ]

  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test(
    arguments: [
      [], ["process.prediction_type=v_prediction", "loss.snr_gamma=5"],
      ["process.variance_type=learned_range", "model.out_channels=2", "model.dropout=0.2"],
      ["training.activation_checkpointing=true"],
    ] + scoreSettings)
  func stoppedAndResumedRunsEndInTheSameBytes(settings: [String]) throws {
    let folder = try DataFolder()
    let configuration = try Self.configuration(in: folder, settings)
    var whole = try DenoisingTask.run(configuration)
    _ = try whole.run()
    let output = configuration.training.output
    let names = ["checkpoint-000006.safetensors", "model.safetensors", "samples-000006.png"]
    let expected = try names.map { try bytes("\(output)/\($0)") }
    try FileManager.default.removeItem(atPath: output)
    var first = try DenoisingTask.run(configuration)
    var made = 0
    _ = try first.run(isStopped: { made == 2 }, progress: { made = $0.step })
    var second = try DenoisingTask.run(
      configuration, resuming: "\(output)/checkpoint-000002.safetensors")
    _ = try second.run()
    for (name, expected) in zip(names, expected) {
      #expect(try bytes("\(output)/\(name)") == expected, "\(name)")
    }
  }

  @Test(arguments: [[], ["score"]]) func checkpointsAndModelsGenerate(settings: [String]) throws {
    let folder = try DataFolder()
    let configuration = try Self.configuration(in: folder, settings)
    var run = try DenoisingTask.run(configuration)
    _ = try run.run()
    let output = configuration.training.output
    let checkpoint = try PixelModel(path: "\(output)/checkpoint-000006.safetensors")
    let model = try PixelModel(path: "\(output)/model.safetensors")
    #expect(checkpoint.classCount == 2 && checkpoint.shape(count: 3) == [3, 8, 8, 1])
    #expect(checkpoint.configuration == configuration.pixelModel)
    for (name, tensor) in run.trainer.state.averaging.average.parameters() {
      let other = checkpoint.network.parameters().first { $0.name == name }?.tensor
      #expect(other?.doubles == tensor.doubles, "\(name)")
    }
    let x = Sample.uniform([2, 8, 8, 1]).converted(to: .float32)
    let answers = [checkpoint, model].map {
      $0.predict(x, times: [3, 40], conditions: [1, nil])
    }
    expectClose(answers[1], answers[0], tolerance: 1e-2)
    #expect(answers[0].shape == [2, 8, 8, 1])
    #expect(try Image(png: "\(output)/samples-000006.png").width == 2 * (8 + 2) + 2)
  }

  @Test func activationCheckpointingGivesTheSameGradients() throws {
    let folder = try DataFolder()
    func weights(_ settings: [String]) throws -> [(name: String, tensor: Tensor)] {
      let configuration = try Self.configuration(in: folder, settings)
      var trainer = try DenoisingTask.run(configuration).trainer
      _ = try trainer.step()
      return trainer.state.network.parameters()
    }
    // One step of descent at rate 1 shows the gradients; sums may be added up in another order.
    let descent = [
      "training.optimizer.kind=sgd", "training.optimizer.momentum=0",
      "training.optimizer.weight_decay=0", "training.learning_rate.peak=1",
    ]
    let plain = try weights(descent)
    let again = try weights(descent + ["training.activation_checkpointing=true"])
    for (own, other) in zip(plain, again) {
      expectClose(other.tensor, own.tensor, tolerance: 1e-5, own.name)
    }
  }

  @Test(arguments: [
    (["model.num_class_embeds=2"], "it has 2 classes, model.num_class_embeds 2 leaves room for 1"),
    (["data.path=/nowhere"], "/nowhere"),
    (["model.sample_size=16"], "tiny: data.resolution: expected model.sample_size [16], found 8"),
    (["model.norm_num_groups=3"], "tiny: model.block_out_channels: "),
    (["process.variance_type=learned_range"], "tiny: model.out_channels: expected 2"),
    (["model.sample_size=9", "data.resolution=9"], "tiny: model.sample_size: expected a multiple"),
    (["samples.steps=51"], "tiny: samples.steps: expected at most process.num_train_timesteps 50"),
    (["data.validation_fraction=0.99"], "leaves none of its 40 pictures"),
    (["process.beta_start=2"], "tiny: process.beta_start: expected a number between 0 and 1"),
    (["model.up_block_types=[\"UpBlock\",\"UpBlock2D\"]"], "tiny: model.up_block_types.0: "),
    (["training.learning_rate.peek=1"], #"the nearest known one is "peak""#),
    (["data.kind=jpeg"], #"expected one of "idx", "folder", "manifest""#),
    (
      ["process.kind=vpe"],
      #"process.kind: expected one of "discrete", "vp", "sub_vp", "ve", "edm""#
    ),
    (["score", "process.sigma_max=0.001"], "process.sigma_max: expected a number above sigma_min"),
    (["score", "process.kind=vp", "loss.first_time=1"], "loss.first_time: expected above 0"),
    (["score", "model.time_embedding_type=fourier"], "fourier needs times above 0"),
    (
      ["score", "process.variance_type=learned", "model.out_channels=2"],
      "process.variance_type: a variance is learned on a discrete chain alone"
    ),
  ])
  func unusableConfigurationsAreTold(settings: [String], expected: String) throws {
    let folder = try DataFolder()
    let error = #expect(throws: TrainingError.self) {
      _ = try DenoisingTask.run(try Self.configuration(in: folder, settings))
    }
    #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
  }

  @Test func theShippedConfigurationIsValid() throws {
    let path = Shared.package.appendingPathComponent(
      "Sources/DiffusionPipelines/Resources/mnist.json"
    ).path
    let configuration = try DenoisingConfiguration(path: path)
    let network = try UNet(configuration.model, seed: 0)
    #expect(network.parameterCount < 3_000_000)
    #expect(configuration.pixelModel.emptyClass == 10)
  }

  @Test(arguments: [[]] + scoreSettings)
  func lossFallsOnTwoKindsOfPictures(settings: [String]) throws {
    let folder = try DataFolder()
    let configuration = try Self.configuration(
      in: folder,
      settings + [
        "training.steps=60", "training.learning_rate.peak=0.003", "training.batch_size=8",
        "training.sample_interval=null", "training.validation_interval=60",
      ])
    var run = try DenoisingTask.run(configuration)
    let before = try run.trainer.validationLoss()
    _ = try run.run()
    let after = try #require(run.log.rows.last?.validationLoss)
    // What noise is left of low levels cannot be told; sliced score matching falls below 0.
    let share = settings.isEmpty ? 0.7 : before > 0 ? 0.9 : 1.1
    #expect(after < share * before, "\(before) to \(after)")
  }
}

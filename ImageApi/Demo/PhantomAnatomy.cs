namespace ImageApi.Demo;

/// <summary>
/// The phantom's body, from the top of the head to the liver: 600 mm. It is nobody: measures are round figures of an adult's, asymmetries are where everybody has them
/// (heart, aorta, liver, stomach). Contrast medium is in the blood. Arms lie beside the body.
/// </summary>
internal static class PhantomAnatomy
{
    public const float Height = 600;

    private static readonly Tissue ContrastedOrgan = new(105, 8, 6);
    private static readonly Tissue Cartilage = new(130, 25, 5);
    private static readonly Tissue Enamel = new(2100, 200, 3);
    private static readonly Tissue Lung = new(-860, 22, 14);

    /// <summary>Every shape, in the order of painting.</summary>
    public static PhantomShape[] Build(int seed)
    {
        var shapes = new List<PhantomShape>();
        Table(shapes);
        Outlines(shapes);
        Trunk(shapes);
        Neck(shapes);
        Head(shapes);
        Brain(shapes);
        Spine(shapes);
        RibCage(shapes);
        Lungs(shapes, new Random(seed));
        Abdomen(shapes);
        Mediastinum(shapes);
        Shoulders(shapes);
        Face(shapes);
        Throat(shapes);
        return [.. shapes];
    }

    private static void Table(List<PhantomShape> shapes)
    {
        var top = new Loft(new Tissue(-180), new Section(-10, 0, 148, 205, 27, 0.85f), new Section(Height + 10, 0, 148, 205, 27, 0.85f));
        shapes.Add(top);
        shapes.Add(top.Inset(2.2f, new Tissue(-930, 4, 6)));
        var holder = new Loft(new Tissue(-150), new Section(-10, 0, 24, 108, 104), new Section(225, 0, 28, 108, 98));
        shapes.Add(holder);
        shapes.Add(holder.Inset(3, Tissue.Gas));
        shapes.Add(new Loft(Tissue.Gas, new Section(-10, 0, -80, 150, 110, 1), new Section(230, 0, -80, 150, 110, 1)));
        shapes.Add(new Loft(new Tissue(-890, 10, 8), new Section(16, 0, 104, 60, 18, 0.6f), new Section(190, 0, 106, 60, 18, 0.6f)));
    }

    /// <summary>Skin, the fat below it and the muscle below that, of everything: layer by layer, so that where two bodies meet there is no seam.</summary>
    private static void Outlines(List<PhantomShape> shapes)
    {
        var arm = new Loft(Tissue.Skin,
            new Section(296, 150, 14, 30, 30), new Section(325, 172, 14, 45, 48), new Section(380, 194, 20, 42, 47), new Section(470, 200, 26, 38, 43), new Section(Height + 5, 203, 30, 36, 40));
        (Loft Outline, float Skin, float Fat)[] bodies = [(arm, 2, 7), (arm.Mirrored(), 2, 7), (Body, 2, 12), (NeckOutline, 2, 5), (Scalp, 2, 2.2f), (FaceOutline, 2, 7)];
        shapes.Add(new Ellipsoid(Tissue.Skin, 0, -104, 134, 15, 20, 22));
        foreach (var (outline, _, _) in bodies) shapes.Add(outline.Layer(6));
        foreach (var (outline, skin, _) in bodies) shapes.Add(outline.Inset(skin, Tissue.Fat).Layer(20));
        foreach (var (outline, skin, fat) in bodies) shapes.Add(outline.Inset(skin + fat, Tissue.Muscle));
    }

    private static readonly Loft Body = new(Tissue.Skin,
        new Section(226, 0, 16, 57, 60), new Section(262, 0, 18, 62, 60), new Section(282, 0, 18, 92, 62, 0.1f), new Section(300, 0, 16, 148, 72, 0.35f), new Section(325, 0, 12, 172, 90, 0.5f),
        new Section(360, 0, 6, 164, 106, 0.45f), new Section(410, 0, 2, 160, 114, 0.35f), new Section(480, 0, 0, 158, 116, 0.3f), new Section(560, 0, 0, 152, 114, 0.25f), new Section(Height + 5, 0, 0, 148, 110, 0.25f));

    private static void Trunk(List<PhantomShape> shapes)
    {
        // Fat between the muscles of the back and of the chest wall.
        foreach (var side in Sides)
        {
            shapes.Add(new Loft(Tissue.Fat, new Section(330, side * 60, -64, 34, 1.5f), new Section(380, side * 60, -80, 36, 3), new Section(440, side * 58, -88, 34, 2), new Section(470, side * 58, -90, 24, 1)));
            shapes.Add(new Loft(Tissue.Fat, new Section(300, side * 62, 62, 20, 4), new Section(360, side * 70, 82, 40, 3.5f), new Section(470, side * 60, 92, 42, 2.5f), new Section(590, side * 55, 92, 36, 2.5f)));
            shapes.Add(new Loft(Tissue.Fat, new Section(318, side * 120, -10, 14, 26), new Section(350, side * 132, 0, 12, 38), new Section(400, side * 138, 8, 5, 36), new Section(430, side * 138, 8, 2, 20)));
        }
    }

    private static readonly Loft LeftLung = new(Lung,
        new Section(292, 46, 20, 3, 3), new Section(308, 50, 18, 25, 27), new Section(340, 62, 10, 42, 54), new Section(390, 72, 2, 51, 74, 0.1f), new Section(450, 78, 2, 52, 80, 0.1f),
        new Section(520, 82, 8, 50, 78, 0.15f), new Section(560, 88, 22, 42, 60), new Section(588, 94, 42, 30, 36), new Section(602, 96, 50, 18, 20))
    { Slope = 0.35f };

    private static readonly Loft RightLung = new(Lung,
        new Section(292, -46, 20, 3, 3), new Section(308, -50, 18, 25, 27), new Section(340, -62, 10, 42, 54), new Section(390, -72, 2, 51, 74, 0.1f), new Section(450, -78, 0, 53, 80, 0.1f),
        new Section(510, -80, 4, 54, 80, 0.15f), new Section(545, -84, 18, 46, 64), new Section(575, -90, 40, 34, 40), new Section(596, -94, 50, 20, 22))
    { Slope = 0.35f };

    private static void Lungs(List<PhantomShape> shapes, Random random)
    {
        foreach (var (lung, side) in new[] { (RightLung, -1f), (LeftLung, 1f) })
        {
            // The pleural cavity's fat line, then the lung with its vessels.
            shapes.Add(lung.Inset(-2.5f, new Tissue(-20)));
            shapes.Add(lung);
            var hilum = new Point(side * 30, 8, 418);
            for (var stem = 0; stem < 16; stem++)
            {
                var (angle, rise) = (stem * 2.4f, (stem - 7.5f) * 0.24f);
                var direction = Normal(new Point((side * 0.8f) + (0.45f * MathF.Cos(angle)), MathF.Sin(angle), rise));
                Branch(shapes, lung, random, hilum, direction, stem % 3 == 0 ? 5.4f : 4.2f, 30, 0);
            }
        }
    }

    /// <summary>A vessel and what comes of it: each stick forks into two thinner ones, which turn until they stay in the lung.</summary>
    private static void Branch(List<PhantomShape> shapes, Loft lung, Random random, Point from, Point direction, float radius, float length, int generation)
    {
        var to = new Point(from.X + (direction.X * length), from.Y + (direction.Y * length), from.Depth + (direction.Depth * length));
        shapes.Add(new Stick(generation < 2 ? Tissue.Blood with { Hu = 140 } : new Tissue(70), from, to, radius, radius * 0.8f));
        if (generation == 7 || radius < 0.5f) return;
        for (var child = 0; child < 2; child++)
        {
            var (thinner, shorter) = (radius * (child == 0 ? 0.78f : 0.66f), length * (0.76f + (0.14f * random.NextSingle())));
            for (var attempt = 0; attempt < 6; attempt++)
            {
                var spread = 0.6f + (0.25f * attempt);
                var turned = Normal(new Point(direction.X + (spread * Signed(random)), direction.Y + (spread * Signed(random)), direction.Depth + (spread * Signed(random))));
                var end = new Point(to.X + (turned.X * shorter), to.Y + (turned.Y * shorter), to.Depth + (turned.Depth * shorter));
                if (!lung.Touches(end.Depth) || Loft.Distance(lung.At(end.Depth), end.X, end.Y) > -2) continue;
                Branch(shapes, lung, random, to, turned, thinner, shorter, generation + 1);
                break;
            }
        }
    }

    private static void Mediastinum(List<PhantomShape> shapes)
    {
        shapes.Add(new Loft(new Tissue(-85, 8, 8),
            new Section(285, 0, 20, 18, 30), new Section(320, 0, 0, 26, 50, 0.3f), new Section(370, 2, -8, 32, 66, 0.3f), new Section(410, 4, -10, 36, 70, 0.3f), new Section(450, 8, -14, 42, 72, 0.2f),
            new Section(520, 12, -14, 44, 70, 0.2f), new Section(545, 8, 4, 26, 52), new Section(566, 6, 20, 16, 30), new Section(590, 4, 26, 10, 16)));

        // Airways: the trachea, its fork at 398, the main bronchi; cartilage around.
        Tube(shapes, 1.6f, new Tissue(40), Tissue.Gas, 9.5f, new Point(0, 4, 236), new Point(0, 12, 300), new Point(0, 20, 360), new Point(1, 24, 396));
        Tube(shapes, 1.4f, new Tissue(40), Tissue.Gas, 7, new Point(1, 24, 396), new Point(-20, 18, 412), new Point(-36, 12, 428), new Point(-52, 8, 446));
        Tube(shapes, 1.4f, new Tissue(40), Tissue.Gas, 6.4f, new Point(1, 24, 396), new Point(22, 22, 414), new Point(40, 18, 430), new Point(54, 16, 446));
        Tube(shapes, 2.4f, new Tissue(45), new Tissue(20), 6, new Point(4, 24, 256), new Point(6, 32, 330), new Point(8, 40, 420), new Point(14, 34, 520), new Point(20, 26, 566));

        // Heart: muscle, chambers, great vessels.
        var heart = new Ellipsoid(new Tissue(95, 6, 9), 26, -26, 480, 62, 46, 60, 32);
        shapes.Add(heart.Inset(-4, new Tissue(-80, 8, 8)));
        shapes.Add(heart);
        shapes.Add(new Ellipsoid(Tissue.Blood, 42, -24, 492, 30, 20, 36, 38));
        shapes.Add(new Ellipsoid(Tissue.Blood with { Hu = 178 }, 6, -46, 490, 34, 17, 38, 22));
        shapes.Add(new Ellipsoid(Tissue.Blood, -24, -22, 478, 19, 24, 32, 10));
        shapes.Add(new Ellipsoid(Tissue.Blood, 14, 8, 462, 30, 17, 22, 8));
        Vessel(shapes, 15, new Point(4, -18, 452), new Point(-10, -26, 420), new Point(-12, -28, 392), new Point(-4, -18, 368), new Point(12, 8, 362), new Point(22, 32, 376), new Point(25, 44, 400));
        Vessel(shapes, 12, new Point(25, 44, 400), new Point(25, 48, 470), new Point(18, 46, 540), new Point(10, 40, 606));
        Vessel(shapes, 8.5f, new Point(-26, -10, 340), new Point(-30, -12, 400), new Point(-28, -14, 458));
        Vessel(shapes, 12, new Point(-30, -2, 520), new Point(-28, -2, 560), new Point(-26, 4, 606));
        Vessel(shapes, 13, new Point(8, -50, 450), new Point(14, -34, 424), new Point(18, -14, 412));
        Vessel(shapes, 10, new Point(18, -14, 412), new Point(2, -6, 414), new Point(-20, 2, 416), new Point(-34, 8, 420));
        Vessel(shapes, 9.5f, new Point(18, -14, 412), new Point(30, 2, 408), new Point(40, 12, 414));
        Vessel(shapes, 6, new Point(-4, -18, 368), new Point(-16, -8, 340), new Point(-26, -2, 310));
        Vessel(shapes, 4.5f, new Point(6, -4, 364), new Point(14, 0, 330), new Point(24, 4, 296));
        Vessel(shapes, 5, new Point(16, 14, 364), new Point(30, 12, 330), new Point(44, 6, 308), new Point(78, 0, 302), new Point(120, -2, 314));
        Vessel(shapes, 5, new Point(-26, -2, 310), new Point(-46, 2, 304), new Point(-80, -2, 302), new Point(-120, -2, 314));
        Vessel(shapes, 6.5f, new Point(-28, -14, 344), new Point(0, -30, 334), new Point(26, -22, 318));
    }

    private static void Abdomen(List<PhantomShape> shapes)
    {
        shapes.Add(new Ellipsoid(new Tissue(-95, 8, 9), 0, 0, 650, 126, 90, 84));
        shapes.Add(new Ellipsoid(ContrastedOrgan, -52, -4, 612, 92, 84, 86));
        shapes.Add(new Ellipsoid(ContrastedOrgan, 20, -44, 606, 60, 40, 54, -12));
        shapes.Add(new Ellipsoid(new Tissue(45, 10, 6), 70, -14, 602, 44, 46, 52, 20));
        shapes.Add(new Ellipsoid(new Tissue(15, 14, 5), 70, -14, 602, 39, 41, 47, 20));
        shapes.Add(new Ellipsoid(Tissue.Gas, 74, -38, 594, 26, 15, 26, 6));
        shapes.Add(new Ellipsoid(ContrastedOrgan with { Hu = 118 }, 100, 42, 612, 22, 40, 44, -24));
        for (var i = 0; i < 6; i++) shapes.Add(new Stick(Tissue.Blood, new Point(-28, 8, 590), new Point(-56 - (16 * MathF.Cos(i)), -8 + (46 * MathF.Sin(i * 1.1f)), 566 + (5 * i)), 4.5f, 2));
    }

    private static readonly Loft NeckOutline = new(Tissue.Skin, new Section(150, 0, 32, 46, 48), new Section(200, 0, 22, 55, 58), new Section(262, 0, 18, 61, 60), new Section(292, 0, 18, 80, 58));

    private static void Neck(List<PhantomShape> shapes)
    {
        foreach (var side in Sides)
        {
            // Fat around the vessels, then muscles that run slantwise to the front, then carotid and jugular.
            shapes.Add(new Loft(Tissue.Fat, new Section(170, side * 28, 16, 12, 16), new Section(230, side * 27, 14, 11, 15), new Section(292, side * 30, 12, 14, 16)));
            shapes.Add(new Loft(Tissue.Muscle, new Section(160, side * 44, 30, 7, 13), new Section(220, side * 38, 4, 9, 14), new Section(290, side * 20, -26, 8, 10)));
            shapes.Add(new Loft(Tissue.Fat, new Section(180, side * 20, 58, 14, 2), new Section(280, side * 24, 56, 18, 2.5f)));
            Vessel(shapes, 3.8f, new Point(side * 22, 14, 150), new Point(side * 24, 16, 200), new Point(side * 25, 14, 250), new Point(side * 25, 6, 304));
            Vessel(shapes, 5.4f, new Point(side * 30, 22, 150), new Point(side * 33, 20, 210), new Point(side * 33, 10, 260), new Point(side * 30, -4, 310));
            shapes.Add(new Ellipsoid(new Tissue(150, 8, 4), side * 17, 2, 268, 8, 12, 22, side * 14));
        }
    }

    private static void Throat(List<PhantomShape> shapes)
    {
        // Pharynx, larynx and the start of the airway.
        shapes.Add(new Loft(Tissue.Gas, new Section(134, 0, -16, 9, 8), new Section(152, 0, -2, 12, 8), new Section(190, 0, 8, 11, 6), new Section(212, 0, 2, 9, 7), new Section(226, 0, -4, 5, 8), new Section(244, 0, 2, 8.5f, 9)));
        shapes.Add(new Stick(Cartilage, new Point(-16, 2, 214), new Point(0, -18, 226), 2.2f, 2.6f));
        shapes.Add(new Stick(Cartilage, new Point(16, 2, 214), new Point(0, -18, 226), 2.2f, 2.6f));
        shapes.Add(new Stick(Tissue.Marrow with { Hu = 420 }, new Point(-20, 2, 196), new Point(0, -20, 200), 2, 2.6f));
        shapes.Add(new Stick(Tissue.Marrow with { Hu = 420 }, new Point(20, 2, 196), new Point(0, -20, 200), 2, 2.6f));
    }

    /// <summary>Where the middle of the vertebral bodies lies: bent forwards in the neck, backwards in the chest.</summary>
    private static float SpineY(float depth) => depth < 300 ? 38 + (0.09f * (depth - 200)) : 47 + (13 * MathF.Sin((depth - 300) / 300 * MathF.PI * 0.85f));

    private static void Spine(List<PhantomShape> shapes)
    {
        // 7 cervical and 12 thoracic vertebrae, growing downwards; the first two belong to the skull's base.
        var depth = 150f;
        for (var i = 0; i < 20 && depth < Height + 20; i++)
        {
            var isNeck = i < 7;
            var height = isNeck ? 19.5f : 21.5f + ((i - 7) * 0.45f);
            var (middle, y) = (depth + (height / 2), SpineY(depth + (height / 2)));
            var (width, length) = isNeck ? (11.5f, 9f) : (13.5f + ((i - 7) * 0.42f), 11.5f + ((i - 7) * 0.4f));
            shapes.Add(new Loft(new Tissue(85, 8, 4), Cut(depth - 1, y, width, length, 0), Cut(depth + height + 1, y, width, length, 0)));
            shapes.Add(new Loft(Tissue.Cortex with { Hu = 620 }, Cut(depth + 2, y, width + 0.6f, length + 0.6f, 0.15f), Cut(middle, y, width - 1, length - 0.6f, 0.1f), Cut(depth + height - 3, y, width + 0.6f, length + 0.6f, 0.15f)));
            shapes.Add(new Loft(Tissue.Marrow, Cut(depth + 4, y, width - 1.6f, length - 1.6f, 0.15f), Cut(middle, y, width - 2.8f, length - 2.4f, 0.1f), Cut(depth + height - 5, y, width - 1.6f, length - 1.6f, 0.15f)));

            var canal = y + length + 8;
            foreach (var side in Sides)
            {
                Bone(shapes, 1.5f, new Point(side * (width - 3), y + length - 2, middle - 3), new Point(side * 13, canal, middle - 1), 4.2f, 3.6f);
                Bone(shapes, 1.3f, new Point(side * 13, canal, middle - 1), new Point(side * 3, canal + 12, middle + 4), 3.6f, 3.4f);
                Bone(shapes, 1.3f, new Point(side * 13, canal - 1, middle), new Point(side * (isNeck ? 22 : 29), canal + (isNeck ? -10 : 6), middle + 2), 4, 3.4f);
            }
            Bone(shapes, 1.3f, new Point(0, canal + 11, middle + 4), new Point(0, canal + (isNeck ? 20 : 30), middle + (isNeck ? 10 : 22)), 3.4f, 3.2f);
            shapes.Add(new Ellipsoid(new Tissue(15), 0, canal - 0.5f, middle, 9, 7.5f, height));
            shapes.Add(new Ellipsoid(new Tissue(40, 3, 3), 0, canal - 0.5f, middle, isNeck ? 6 : 4.6f, isNeck ? 4.2f : 4, height));
            depth += height;
        }

        static Section Cut(float at, float y, float width, float length, float squareness) => new(at, 0, y, width, length, squareness);
    }

    private static void RibCage(List<PhantomShape> shapes)
    {
        foreach (var side in Sides)
        {
            for (var rib = 0; rib < 12; rib++)
            {
                var growth = Math.Min(1, (rib + 1.4f) / 6.5f);
                var (width, depthOf) = (52 + (86 * MathF.Sqrt(growth)) - (rib > 8 ? (rib - 8) * 3 : 0), 48 + (46 * growth));
                var (top, drop) = (302 + (rib * 24.5f), 26 + (58 * growth));
                var reach = rib < 10 ? 0.83f : 0.62f;
                Point? last = null;
                const int parts = 22;
                for (var i = 0; i <= parts; i++)
                {
                    var t = reach * i / parts;
                    var angle = 0.26f + (t * (MathF.PI - 0.26f));
                    var point = new Point(side * width * Bulge(MathF.Sin(angle)), 2 + (depthOf * Bulge(MathF.Cos(angle))), top + (drop * MathF.Pow(t, 1.15f)));
                    if (last is { } previous) Bone(shapes, 1.7f, previous, point, 4.8f, 4.8f);
                    last = point;
                }
                if (rib < 8) shapes.Add(new Stick(Cartilage, last!.Value, new Point(side * 17, -70 - (rib * 4), 340 + (rib * 19)), 4.4f, 4));
            }
        }
        shapes.Add(new Loft(Tissue.Cortex with { Hu = 480 }, new Section(322, 0, -60, 26, 6, 0.4f), new Section(350, 0, -78, 18, 6, 0.3f), new Section(440, 0, -95, 15, 5.5f, 0.3f), new Section(482, 0, -98, 13, 4.5f)));
        shapes.Add(new Loft(Tissue.Marrow with { Hu = 160 }, new Section(323, 0, -60, 23, 4, 0.4f), new Section(350, 0, -78, 15.5f, 4, 0.3f), new Section(440, 0, -95, 12.5f, 3.5f, 0.3f), new Section(480, 0, -98, 10.5f, 2.6f)));
    }

    /// <summary>Makes a circle squarer: the chest wall is.</summary>
    private static float Bulge(float value) => MathF.CopySign(MathF.Pow(MathF.Abs(value), 0.78f), value);

    private static void Shoulders(List<PhantomShape> shapes)
    {
        foreach (var side in Sides)
        {
            // Clavicle, shoulder blade, upper arm.
            Bone(shapes, 2, new Point(side * 20, -58, 320), new Point(side * 64, -44, 305), 6.5f, 5);
            Bone(shapes, 2, new Point(side * 64, -44, 305), new Point(side * 108, -22, 299), 5, 5.4f);
            Bone(shapes, 2, new Point(side * 108, -22, 299), new Point(side * 138, -2, 300), 5.4f, 6);
            Bone(shapes, 2, new Point(side * 142, 8, 302), new Point(side * 96, 62, 322), 5, 4.5f);
            var blade = new Loft(Tissue.Cortex with { Hu = 560 }, new Section(316, side * 116, 52, 26, 3.4f), new Section(350, side * 106, 74, 28, 2.6f), new Section(400, side * 98, 90, 19, 2.2f), new Section(442, side * 96, 96, 6, 2));
            shapes.Add(blade);
            Bone(shapes, 2.2f, new Point(side * 138, 34, 318), new Point(side * 140, 26, 338), 10, 9);
            var head = new Ellipsoid(Tissue.Cortex, side * 164, 10, 326, 23, 23, 24);
            shapes.Add(head);
            shapes.Add(head.Inset(2, Tissue.Marrow with { Hu = 190 }));
            Bone(shapes, 4.5f, new Point(side * 168, 12, 338), new Point(side * 200, 26, 470), 14, 11);
            Bone(shapes, 4.5f, new Point(side * 200, 26, 470), new Point(side * 206, 30, Height + 20), 11, 12);
        }
    }

    private static readonly Loft Scalp = new(Tissue.Skin,
        new Section(2, 0, 4, 8, 10), new Section(10, 0, 3, 38, 46), new Section(28, 0, 1, 62, 76), new Section(56, 0, 0, 76, 95), new Section(84, 0, -1, 79, 100), new Section(112, 0, 0, 76, 98),
        new Section(136, 0, 6, 70, 88), new Section(160, 0, 20, 58, 68), new Section(180, 0, 30, 50, 54));

    private static readonly Loft Skull = new(Tissue.Cortex,
        new Section(7, 0, 4, 6, 8), new Section(14, 0, 3, 36, 44), new Section(30, 0, 1, 57, 71), new Section(56, 0, 0, 70, 89), new Section(84, 0, -1, 73, 93), new Section(112, 0, 4, 70, 87),
        new Section(130, 0, 18, 64, 68), new Section(143, 0, 28, 48, 46), new Section(150, 0, 30, 24, 24));

    private static void Head(List<PhantomShape> shapes)
    {
        shapes.Add(Skull);
        shapes.Add(Skull.Inset(2, new Tissue(560, 110, 5)));
        shapes.Add(Skull.Inset(4.4f, Tissue.Cortex));
        shapes.Add(Skull.Inset(6.6f, new Tissue(12, 2, 6)));
    }

    private static void Brain(List<PhantomShape> shapes)
    {
        // Grey matter, folded at the surface; white matter, folded deeper; the two halves apart in the middle.
        var brain = Skull.Inset(7.6f, new Tissue(40, 2, 8));
        shapes.Add(brain.WithFolds(4.4f, 9));
        shapes.Add(Skull.Inset(13.5f, new Tissue(27, 1.5f, 12)).WithFolds(6.5f, 11));
        shapes.Add(new Loft(new Tissue(12), new Section(12, 0, -2, 1, 40), new Section(50, 0, -6, 1.5f, 78), new Section(70, 0, -52, 1.5f, 28), new Section(84, 0, -58, 1, 22)));
        shapes.Add(new Loft(new Tissue(64), new Section(10, 0, 2, 0.6f, 38), new Section(40, 0, 0, 0.6f, 76), new Section(60, 0, 60, 0.6f, 22), new Section(84, 0, 68, 0.5f, 14)));
        foreach (var side in Sides)
        {
            shapes.Add(new Ellipsoid(new Tissue(41, 2, 5), side * 14, 2, 80, 8, 14, 11, side * -12));
            shapes.Add(new Ellipsoid(new Tissue(42, 2, 5), side * 24, -6, 80, 7, 18, 13, side * 14));
            shapes.Add(new Ellipsoid(new Tissue(41, 2, 5), side * 11, -22, 74, 5, 9, 14, side * 10));
            shapes.Add(new Ellipsoid(new Tissue(10, 2, 6), side * 50, -14, 86, 5, 20, 9, side * 18) { Folds = (2, 7) });
            shapes.Add(new Ellipsoid(Tissue.Fluid, side * 9, -26, 68, 4.2f, 17, 9, side * 16));
            shapes.Add(new Ellipsoid(Tissue.Fluid, side * 11, 4, 60, 4.6f, 26, 7, side * -6));
            shapes.Add(new Ellipsoid(Tissue.Fluid, side * 23, 32, 72, 6, 17, 11, side * -24));
            shapes.Add(new Ellipsoid(new Tissue(95), side * 21, 30, 72, 2.2f, 4, 4));
            shapes.Add(new Ellipsoid(Tissue.Fluid, side * 31, 4, 96, 3.4f, 15, 4, side * 20));
        }
        shapes.Add(new Ellipsoid(Tissue.Fluid, 0, 0, 80, 2, 13, 10));
        shapes.Add(new Ellipsoid(new Tissue(120), 0, 16, 82, 2.2f, 2.2f, 2.6f));

        // Below the tentorium: cerebellum with its fine folds, brain stem, fourth ventricle, cisterns.
        shapes.Add(new Ellipsoid(new Tissue(14, 2, 6), 0, 8, 104, 26, 26, 16));
        shapes.Add(new Ellipsoid(new Tissue(40, 2, 4), 0, 46, 118, 46, 30, 22) { Folds = (2.2f, 4) });
        shapes.Add(new Ellipsoid(new Tissue(30), 0, 44, 118, 30, 16, 12) { Folds = (4, 6) });
        shapes.Add(new Loft(new Tissue(34, 2, 5), new Section(88, 0, 4, 15, 10), new Section(104, 0, 8, 15, 13), new Section(118, 0, 12, 12, 12), new Section(134, 0, 22, 8, 8), new Section(154, 0, 40, 6, 5)));
        shapes.Add(new Ellipsoid(Tissue.Fluid, 0, 28, 114, 6, 4, 11));
        Vessel(shapes, 1.8f, new Point(0, 0, 96), new Point(0, -1, 112), new Point(0, 6, 130));
        foreach (var side in Sides)
        {
            Vessel(shapes, 2.2f, new Point(side * 12, -14, 100), new Point(side * 26, -16, 96), new Point(side * 44, -12, 92));
            Vessel(shapes, 4, new Point(0, 84, 108), new Point(side * 36, 74, 112), new Point(side * 56, 42, 118));
        }
        Vessel(shapes, 3.6f, new Point(0, 40, 14), new Point(0, 76, 46), new Point(0, 85, 80), new Point(0, 84, 108));
    }

    private static readonly Loft FaceOutline = new(Tissue.Skin,
        new Section(96, 0, -62, 52, 34, 0.2f), new Section(120, 0, -56, 62, 46, 0.2f), new Section(150, 0, -46, 62, 58, 0.15f), new Section(180, 0, -38, 56, 58, 0.1f),
        new Section(204, 0, -28, 48, 52), new Section(220, 0, -16, 42, 36), new Section(232, 0, -4, 34, 22));

    private static void Face(List<PhantomShape> shapes)
    {
        // Chewing muscles, glands, fat.
        foreach (var side in Sides)
        {
            shapes.Add(new Loft(Tissue.Muscle, new Section(108, side * 58, -24, 5, 16), new Section(150, side * 56, -22, 7, 18), new Section(200, side * 48, -16, 6, 14)));
            shapes.Add(new Ellipsoid(new Tissue(-10, 25, 4), side * 57, 4, 160, 10, 15, 24, side * -14));
            shapes.Add(new Loft(Tissue.Fat, new Section(120, side * 38, -22, 8, 12), new Section(160, side * 36, -18, 7, 12)));
        }

        // Base of the skull: the petrous bones with their air cells, the clivus, the sphenoid.
        foreach (var side in Sides)
        {
            Bone(shapes, 3, new Point(side * 14, 2, 122), new Point(side * 62, 26, 126), 8, 13);
            for (var cell = 0; cell < 14; cell++)
                shapes.Add(new Ellipsoid(new Tissue(-820), side * (58 + (6 * MathF.Cos(cell * 2.1f))), 30 + (9 * MathF.Sin(cell * 1.7f)), 126 + (11 * MathF.Sin(cell * 2.9f)), 2.6f, 2.8f, 2.6f));
            Tube(shapes, 1.5f, Tissue.Cortex, Tissue.Gas, 3, new Point(side * 78, 16, 130), new Point(side * 58, 14, 128));
            shapes.Add(new Ellipsoid(Tissue.Skin, side * 80, 20, 126, 5, 13, 24, side * 24));
        }
        Bone(shapes, 2, new Point(0, -8, 112), new Point(0, 10, 138), 9, 7);
        Bone(shapes, 2.5f, new Point(0, 20, 146), new Point(0, 22, 149), 16, 16);

        // Orbits: bone, fat, muscles, the eye with its lens, the nerve.
        foreach (var side in Sides)
        {
            var orbit = new Ellipsoid(Tissue.Cortex with { Hu = 700 }, side * 31, -66, 106, 23, 27, 20, side * 16);
            shapes.Add(orbit);
            shapes.Add(orbit.Inset(2.2f, Tissue.Fat));
            shapes.Add(new Ellipsoid(Tissue.Fat, side * 33, -88, 106, 18, 14, 16));
            shapes.Add(new Stick(new Tissue(45), new Point(side * 42, -84, 106), new Point(side * 20, -46, 108), 2.4f, 2));
            shapes.Add(new Stick(new Tissue(45), new Point(side * 20, -84, 106), new Point(side * 16, -46, 108), 2.4f, 2));
            shapes.Add(new Stick(new Tissue(42), new Point(side * 32, -74, 106), new Point(side * 17, -42, 108), 2.4f, 2.2f));
            var eye = new Ellipsoid(new Tissue(55), side * 33, -85, 106, 12.6f, 12.6f, 12.6f);
            shapes.Add(eye);
            shapes.Add(eye.Inset(1.6f, Tissue.Fluid));
            shapes.Add(new Ellipsoid(new Tissue(105), side * 33, -93.5f, 106, 4.6f, 2.2f, 4.6f));
        }

        // Air of the nose and its sinuses, each in thin bone.
        foreach (var side in Sides)
        {
            Sinus(shapes, side * 30, -62, 143, 17, 19, 19);
            Sinus(shapes, side * 9, -86, 86, 8, 5, 10);
            for (var cell = 0; cell < 4; cell++) Sinus(shapes, side * 7, -78 + (cell * 11), 112, 5, 6, 11);
            Sinus(shapes, side * 8, -24, 116, 8, 12, 9);
        }
        shapes.Add(new Loft(Tissue.Gas, new Section(122, 0, -62, 13, 30), new Section(140, 0, -66, 14, 38), new Section(158, 0, -54, 11, 34), new Section(164, 0, -20, 9, 22)));
        shapes.Add(new Loft(new Tissue(120), new Section(112, 0, -62, 1.2f, 32), new Section(162, 0, -56, 1.4f, 32)));
        foreach (var side in Sides)
        {
            shapes.Add(new Ellipsoid(new Tissue(50), side * 8, -62, 134, 2.6f, 18, 6));
            shapes.Add(new Ellipsoid(new Tissue(50), side * 8.5f, -66, 150, 3.4f, 22, 7));
            Bone(shapes, 1.4f, new Point(side * 48, -78, 128), new Point(side * 66, -30, 130), 4.4f, 3.4f);
            Bone(shapes, 1.4f, new Point(side * 66, -30, 130), new Point(side * 66, 6, 126), 3.2f, 3.2f);
        }

        // Jaws: two arches with teeth, the rami up to the joints, the tongue between.
        shapes.Add(new Loft(new Tissue(60, 8, 5), new Section(166, 0, -48, 22, 26), new Section(186, 0, -42, 26, 36), new Section(206, 0, -26, 22, 28), new Section(214, 0, -16, 14, 16)));
        Arch(shapes, 168, 30, -46, 36, 5.5f, Tissue.Cortex with { Hu = 650 });
        Arch(shapes, 196, 33, -42, 39, 6.5f, Tissue.Cortex with { Hu = 1100 });
        Teeth(shapes, 177, 29, -46, 35);
        Teeth(shapes, 186, 29.5f, -45, 35.5f);
        foreach (var side in Sides)
        {
            Bone(shapes, 2.2f, new Point(side * 36, -34, 198), new Point(side * 46, -10, 190), 6.5f, 6.5f);
            Bone(shapes, 2, new Point(side * 46, -10, 190), new Point(side * 51, 2, 140), 6, 5);
            Bone(shapes, 2, new Point(side * 51, 2, 140), new Point(side * 52, 4, 132), 6, 6.5f);
            Bone(shapes, 1.5f, new Point(side * 47, -16, 176), new Point(side * 50, -24, 140), 4, 3);
        }
    }

    private static readonly float[] Sides = [-1, 1];

    private static void Arch(List<PhantomShape> shapes, float depth, float width, float y, float length, float radius, Tissue tissue)
    {
        Point? last = null;
        for (var i = -9; i <= 9; i++)
        {
            var angle = i / 9f * 1.5f;
            var point = new Point(width * MathF.Sin(angle), y - (length * MathF.Cos(angle)) + 6, depth);
            if (last is { } previous)
            {
                shapes.Add(new Stick(tissue, previous, point, radius, radius));
                shapes.Add(new Stick(Tissue.Marrow, previous, point, radius - 2.4f, radius - 2.4f));
            }
            last = point;
        }
    }

    private static void Teeth(List<PhantomShape> shapes, float depth, float width, float y, float length)
    {
        for (var i = 0; i < 14; i++)
        {
            var angle = (i - 6.5f) / 6.5f * 1.4f;
            var (x, at) = (width * MathF.Sin(angle), y - (length * MathF.Cos(angle)) + 6);
            var size = 2.5f + (1.8f * MathF.Abs(angle) / 1.4f);
            shapes.Add(new Stick(Enamel, new Point(x, at, depth - 6), new Point(x, at, depth + 6), size, size));
            shapes.Add(new Stick(Tissue.Marrow with { Hu = 900 }, new Point(x, at, depth - 6), new Point(x, at, depth + 6), size * 0.4f, size * 0.4f));
        }
    }

    private static void Sinus(List<PhantomShape> shapes, float x, float y, float depth, float radiusX, float radiusY, float radiusZ)
    {
        var wall = new Ellipsoid(Tissue.Cortex with { Hu = 520 }, x, y, depth, radiusX + 1.2f, radiusY + 1.2f, radiusZ + 1.2f);
        shapes.Add(wall);
        shapes.Add(wall.Inset(1.7f, Tissue.Gas));
    }

    /// <summary>A stick of cortical bone around marrow.</summary>
    private static void Bone(List<PhantomShape> shapes, float cortex, Point from, Point to, float radiusFrom, float radiusTo)
    {
        var bone = new Stick(Tissue.Cortex, from, to, radiusFrom, radiusTo);
        shapes.Add(bone);
        if (Math.Min(radiusFrom, radiusTo) - cortex > 0.8f) shapes.Add(bone.Inset(cortex, Tissue.Marrow));
    }

    private static void Vessel(List<PhantomShape> shapes, float radius, params Point[] points)
    {
        for (var i = 1; i < points.Length; i++) shapes.Add(new Stick(Tissue.Blood, points[i - 1], points[i], radius, radius));
    }

    private static void Tube(List<PhantomShape> shapes, float wall, Tissue outer, Tissue inner, float radius, params Point[] points)
    {
        for (var i = 1; i < points.Length; i++) shapes.Add(new Stick(outer, points[i - 1], points[i], radius + wall, radius + wall));
        for (var i = 1; i < points.Length; i++) shapes.Add(new Stick(inner, points[i - 1], points[i], radius, radius));
    }

    private static Point Normal(Point direction)
    {
        var length = MathF.Sqrt((direction.X * direction.X) + (direction.Y * direction.Y) + (direction.Depth * direction.Depth));
        return new Point(direction.X / length, direction.Y / length, direction.Depth / length);
    }

    private static float Signed(Random random) => (random.NextSingle() * 2) - 1;
}

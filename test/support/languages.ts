// Small documents in ten languages, and six questions about each language's: which document holds the answer, and the words.

interface Asked {
  readonly question: string;
  /** Name of the document, without its ending. */
  readonly document: string;
  /** Words of the document that answer. */
  readonly answer: string;
}

interface Language {
  readonly documents: Readonly<Record<string, string>>;
  readonly questions: readonly Asked[];
}

const asked = (question: string, document: string, answer: string): Asked => ({ question, document, answer });

export const LANGUAGES: Readonly<Record<string, Language>> = {
  German: {
    documents: {
      bruecke: "Die Brücke über den Fluss heißt Königsbrücke. Sie wurde 1887 aus Sandstein gebaut.",
      archiv: "Das Archiv öffnet dienstags um zehn Uhr. Der Schlüssel liegt bei Frau Özdemir.",
      leuchtturm: "Der Leuchtturm von Hörnum blinkt alle neun Sekunden. Sein Wärter heißt Jens Petersen.",
      baeckerei: "Die Bäckerei am Markt verkauft Roggenbrot nur samstags.",
      urlaub: "Jeder Mitarbeiter hat dreißig Urlaubstage im Jahr. Anträge nimmt die Personalabteilung entgegen.",
      zug: "Der Nachtzug nach Wien fährt um 22.40 Uhr von Gleis sieben ab.",
    },
    questions: [
      asked("Wie heißt die Brücke über den Fluss?", "bruecke", "Königsbrücke"),
      asked("Wann öffnet das Archiv?", "archiv", "dienstags um zehn"),
      asked("Wer ist der Wärter des Leuchtturms?", "leuchtturm", "Jens Petersen"),
      asked("An welchem Tag verkauft die Bäckerei Roggenbrot?", "baeckerei", "samstags"),
      asked("Wie viele Urlaubstage hat ein Mitarbeiter?", "urlaub", "dreißig"),
      asked("Von welchem Gleis fährt der Nachtzug nach Wien?", "zug", "Gleis sieben"),
    ],
  },
  French: {
    documents: {
      cafe: "Le cafe\u0301 de Zoe\u0301 ferme a\u0300 minuit. On y sert un g\u00e2teau aux noisettes.",
      phare: "Le gardien du phare s'appelle Éloi Kerbrat. Il habite là depuis vingt ans.",
      musee: "Le musée de la dentelle est gratuit le premier dimanche du mois.",
      ferme: "La ferme des Aulnes élève des chèvres et vend son fromage au marché.",
      train: "Le train pour Besançon part de la voie quatre à six heures.",
      piscine: "La piscine municipale est chauffée à vingt-huit degrés en hiver.",
    },
    questions: [
      asked("Quand ferme le café de Zoé ?", "cafe", "minuit"),
      asked("Comment s'appelle le gardien du phare ?", "phare", "Éloi Kerbrat"),
      asked("Quel jour le musée de la dentelle est-il gratuit ?", "musee", "premier dimanche"),
      asked("Quels animaux élève la ferme des Aulnes ?", "ferme", "chèvres"),
      asked("De quelle voie part le train pour Besançon ?", "train", "voie quatre"),
      asked("À combien de degrés est chauffée la piscine ?", "piscine", "vingt-huit degrés"),
    ],
  },
  Spanish: {
    documents: {
      biblioteca: "La biblioteca del barrio cierra los lunes. La directora se llama Inés Ibáñez.",
      puente: "El puente de hierro cruza el río Ñuble y mide trescientos metros.",
      panaderia: "La panadería de la esquina hornea pan de maíz cada mañana.",
      faro: "El faro de Cabo Polonio tiene ciento treinta y dos escalones.",
      mercado: "En el mercado viejo, los pescadores venden anchoas los viernes.",
      vacuna: "La vacuna del perro caduca en marzo; el veterinario es el doctor Peña.",
    },
    questions: [
      asked("¿Qué día cierra la biblioteca del barrio?", "biblioteca", "lunes"),
      asked("¿Qué río cruza el puente de hierro?", "puente", "Ñuble"),
      asked("¿Qué pan hornea la panadería?", "panaderia", "maíz"),
      asked("¿Cuántos escalones tiene el faro?", "faro", "ciento treinta y dos"),
      asked("¿Cuándo venden anchoas en el mercado viejo?", "mercado", "viernes"),
      asked("¿Quién es el veterinario del perro?", "vacuna", "doctor Peña"),
    ],
  },
  Russian: {
    documents: {
      mayak: "Хранителя маяка зовут Пётр Ильич. Он зажигает лампу на закате.",
      most: "Каменный мост построили в 1903 году. Его длина двести метров.",
      sklad: "Ключ от склада лежит у кладовщицы Марии Соколовой.",
      poezd: "Ночной поезд в Казань отправляется с третьего пути.",
      muzey: "Музей чая закрыт по понедельникам.",
      otpusk: "Каждый сотрудник получает двадцать восемь дней отпуска.",
    },
    questions: [
      asked("Как зовут хранителя маяка?", "mayak", "Пётр Ильич"),
      asked("В каком году построен каменный мост?", "most", "1903"),
      asked("У кого ключи от склада?", "sklad", "Марии Соколовой"),
      asked("С какого пути отправляется поезд в Казань?", "poezd", "третьего пути"),
      asked("Когда закрыт музей чая?", "muzey", "понедельникам"),
      asked("Сколько дней отпуска у сотрудников?", "otpusk", "двадцать восемь"),
    ],
  },
  Arabic: {
    documents: {
      maktaba: "أمين المكتبة هو يوسف حداد. تفتح المكتبة أبوابها في الساعة التاسعة.",
      jisr: "بُنِيَ الجسر القديم سنة ١٨٩٠ من الحجر الأبيض.",
      souq: "يبيع التجار التوابل في السوق الكبير كل يوم خميس.",
      qitar: "يغادر القطار إلى حلب من الرصيف الرابع.",
      mathaf: "المتحف الوطني مغلق يوم الإثنين.",
      manara: "يبلغ ارتفاع المنارة أربعين مترا.",
    },
    questions: [
      asked("من هو أمين المكتبة؟", "maktaba", "يوسف حداد"),
      asked("متى بني الجسر القديم؟", "jisr", "١٨٩٠"),
      asked("ماذا يبيع التجار في السوق؟", "souq", "التوابل"),
      asked("من أي رصيف يغادر القطار إلى حلب؟", "qitar", "الرصيف الرابع"),
      asked("في أي يوم المتحف مغلق؟", "mathaf", "الإثنين"),
      asked("كم ارتفاع المنارة؟", "manara", "أربعين"),
    ],
  },
  Hindi: {
    documents: {
      pustakalay: "पुस्तकालय की अध्यक्ष मीरा जोशी हैं। पुस्तकालय रविवार को बंद रहता है।",
      pul: "पुराना पुल सन 1911 में पत्थर से बनाया गया था।",
      bazaar: "बाज़ार में मछली केवल शुक्रवार को मिलती है।",
      rel: "लखनऊ जाने वाली रेलगाड़ी प्लेटफ़ॉर्म पाँच से चलती है।",
      chay: "चाय की दुकान सुबह छह बजे खुलती है।",
      pahad: "पहाड़ की चोटी पर एक पुराना मंदिर है, जिसका पुजारी गोपाल है।",
    },
    questions: [
      asked("पुस्तकालय की अध्यक्ष कौन हैं?", "pustakalay", "मीरा जोशी"),
      asked("पुराना पुल कब बनाया गया था?", "pul", "1911"),
      asked("बाज़ार में मछली कब मिलती है?", "bazaar", "शुक्रवार"),
      asked("लखनऊ की रेलगाड़ी किस प्लेटफ़ॉर्म से चलती है?", "rel", "पाँच"),
      asked("चाय की दुकान कितने बजे खुलती है?", "chay", "छह बजे"),
      asked("मंदिर का पुजारी कौन है?", "pahad", "गोपाल"),
    ],
  },
  Chinese: {
    documents: {
      cangku: "今天天气很好，我们去公园玩。仓库主管的名字是李明远，他负责北方仓库的库存管理。",
      qiao: "石桥建于一八九五年，全长两百米。",
      chaguan: "茶馆每天早上六点开门，老板姓王。",
      bowuguan: "博物馆星期一闭馆，门票二十元。",
      huoche: "开往成都的火车从第三站台出发。",
      mao: "邻居家的猫叫小黑，喜欢吃鱼。",
    },
    questions: [
      asked("仓库主管的名字是什么？", "cangku", "李明远"),
      asked("李明远", "cangku", "李明远"),
      asked("石桥是哪一年建的？", "qiao", "一八九五年"),
      asked("茶馆几点开门？", "chaguan", "六点"),
      asked("去成都的火车在哪个站台？", "huoche", "第三站台"),
      asked("猫的名字叫什么？", "mao", "小黑"),
    ],
  },
  Japanese: {
    documents: {
      souko: "倉庫の責任者は田中さくらです。鍵は事務所にあります。",
      hashi: "石の橋は一九〇二年に造られました。長さは百メートルです。",
      kissaten: "喫茶店ミモザは夜十時に閉まります。",
      densha: "京都行きの電車は二番線から出ます。",
      database: "データベースのバックアップは毎週水曜日に行います。",
      neko: "灯台の猫の名前はタマです。",
    },
    questions: [
      asked("倉庫の責任者は誰ですか？", "souko", "田中さくら"),
      asked("石の橋はいつ造られましたか？", "hashi", "一九〇二年"),
      asked("喫茶店ミモザは何時に閉まりますか？", "kissaten", "十時"),
      asked("京都行きの電車は何番線から出ますか？", "densha", "二番線"),
      asked("データベースのバックアップはいつですか？", "database", "水曜日"),
      asked("猫の名前は何ですか？", "neko", "タマ"),
    ],
  },
  Korean: {
    documents: {
      changgo: "창고 책임자는 김하늘이다. 열쇠는 사무실에 있다.",
      dari: "돌다리는 1921년에 지어졌다. 길이는 백 미터이다.",
      chatjip: "찻집은 매일 아침 일곱 시에 문을 연다.",
      gicha: "부산행 기차는 4번 승강장에서 출발한다.",
      bakmulgwan: "박물관은 월요일에 쉬며 입장료는 이천 원이다.",
      deungdae: "등대지기의 이름은 박바다이다.",
    },
    questions: [
      asked("창고의 책임자가 누구입니까?", "changgo", "김하늘"),
      asked("돌다리가 언제 지어졌습니까?", "dari", "1921년"),
      asked("찻집이 몇 시에 문을 엽니까?", "chatjip", "일곱 시"),
      asked("부산행 기차가 몇 번 승강장에서 출발합니까?", "gicha", "4번"),
      asked("박물관 입장료가 얼마입니까?", "bakmulgwan", "이천 원"),
      asked("등대지기 이름이 무엇입니까?", "deungdae", "박바다"),
    ],
  },
  Thai: {
    documents: {
      ran: "ร้านกาแฟของสมชายอยู่ริมแม่น้ำ เปิดทุกวันตอนเจ็ดโมงเช้า",
      saphan: "สะพานไม้เก่าสร้างขึ้นเมื่อปี พ.ศ. 2450",
      hongsamut: "บรรณารักษ์ของห้องสมุดชื่อคุณมาลี",
      rotfai: "รถไฟไปเชียงใหม่ออกจากชานชาลาที่ห้า",
      talat: "ตลาดปลาเปิดเฉพาะวันศุกร์",
      phiphit: "พิพิธภัณฑ์ปิดวันจันทร์ ค่าเข้าชมยี่สิบบาท",
    },
    questions: [
      asked("ร้านกาแฟของสมชายอยู่ที่ไหน", "ran", "ริมแม่น้ำ"),
      asked("สะพานไม้สร้างเมื่อปีใด", "saphan", "2450"),
      asked("บรรณารักษ์ห้องสมุดชื่ออะไร", "hongsamut", "มาลี"),
      asked("รถไฟไปเชียงใหม่ออกจากชานชาลาไหน", "rotfai", "ห้า"),
      asked("ตลาดปลาเปิดวันไหน", "talat", "วันศุกร์"),
      asked("ค่าเข้าชมพิพิธภัณฑ์เท่าไร", "phiphit", "ยี่สิบบาท"),
    ],
  },
};
